import { parsePublished } from '../published-port.ts';
import { type Mistake, quote } from '../yaml/mistakes.ts';
import type { Source } from '../yaml/source.ts';
import { findTree, type YamlTree } from '../yaml/tree.ts';

/** Checks that a task that publishes ports has a network to publish them from. */
export function checkPorts(root: YamlTree, source: Source): Mistake[] {
  const { value: network } = findTree(root, ['network']).tree;
  if (network !== 'none' && network !== 'host') return [];
  return ['tasks', 'services'].flatMap((section) => {
    const { tree, whole } = findTree(root, [section]);
    const names = whole ? [...tree.children.keys()].map(String) : [];
    return names.flatMap((name) => checkList(root, [section, name, 'ports'], network, source));
  });
}

function checkList(root: YamlTree, path: string[], network: 'none' | 'host', source: Source): Mistake[] {
  const { tree, whole } = findTree(root, path);
  if (!whole) return [];
  return [...tree.children].flatMap(([index, { value, from, to }]) => {
    const port = parsePublished(String(value));
    if (port === undefined || (network === 'host' && (port.enginePort ?? port.port) === port.port)) return [];
    const [expected, hint] =
      network === 'none'
        ? ['no ports with network: none', 'write network: bridge, or leave the ports out']
        : ["the engine's own port with network: host", `write ${port.port}`];
    return [source.mistakeAt(from, to, { path: [...path, index], expected, found: quote(String(value)), hint })];
  });
}
