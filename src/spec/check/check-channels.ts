import { type Mistake, quote } from '../yaml/mistakes.ts';
import type { Source } from '../yaml/source.ts';
import { findTree, type YamlTree } from '../yaml/tree.ts';
import { DeclaredNames } from './declared-names.ts';

const list = ['deliver', 'channels'];

/** Checks that `after` names a channel, that no channel comes after itself, and that each tag follows one channel. */
export function checkChannels(root: YamlTree, source: Source): Mistake[] {
  const { tree, whole } = findTree(root, list);
  if (!whole) return [];
  const channels = new Map([...tree.children].map(([name, channel]) => [String(name), channel]));
  const names = new DeclaredNames('channels', channels.keys());
  const tags = new Map<string, string>();
  return [...channels].flatMap(([name, channel]) => {
    const after = channel.children.get('after');
    const tag = channel.children.get('tag');
    const mistakes: Mistake[] = [];
    if (after !== undefined && typeof after.value === 'string') {
      const wrong = findWrongOrder(name, after.value, channels, names);
      if (wrong !== undefined)
        mistakes.push(
          source.mistakeAt(after.from, after.to, {
            path: [...list, name, 'after'],
            found: quote(after.value),
            ...wrong,
          }),
        );
    }
    if (tag !== undefined && typeof tag.value === 'string') {
      const first = tags.get(tag.value);
      const expected = 'a tag of its own';
      const hint = `the channel ${first} has it already`;
      if (first === undefined) tags.set(tag.value, name);
      else
        mistakes.push(
          source.mistakeAt(tag.from, tag.to, { path: [...list, name, 'tag'], found: quote(tag.value), expected, hint }),
        );
    }
    return mistakes;
  });
}

function findWrongOrder(
  name: string,
  after: string,
  channels: ReadonlyMap<string, YamlTree>,
  names: DeclaredNames,
): { expected: string; hint: string } | undefined {
  const expected = 'the name of another channel';
  if (!names.has(after)) return { expected, hint: names.hintFor(after) };
  const passed = new Set([name]);
  for (let next: unknown = after; typeof next === 'string'; next = channels.get(next)?.children.get('after')?.value) {
    if (next === name) return { expected, hint: 'it would come after itself' };
    if (passed.has(next)) return undefined;
    passed.add(next);
  }
  return undefined;
}
