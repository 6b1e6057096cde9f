import { isMap, isScalar } from 'yaml';
import type { PathKey } from '../../../spec/types.ts';
import type { Mistake } from '../../../spec/yaml/mistakes.ts';
import { refuseDelivery } from '../../refuse.ts';
import type { DeliveryInput } from '../../target.ts';
import { ParsedTemplate, readValueAt } from '../../template.ts';
import { type MaskedText, maskRuby } from './ruby-marks.ts';

/** Reads which service the repository's own deploy.yml deploys; undefined where it does not say. */
export function readServiceName(
  input: Pick<DeliveryInput<unknown>, 'image' | 'target' | 'template'>,
): string | undefined {
  if (input.template === undefined) return undefined;
  const { parsed, restore } = parse(input);
  const name = readValueAt(parsed.value, ['service']);
  return name === undefined || name === null ? undefined : restore(String(name));
}

/**
 * Completes the repository's own deploy.yml by the release. Comments, unknown keys and Ruby between `<%` and `%>` inside
 * of values stay. What the file says of port and health stays too.
 */
export function completeOwnFile(input: DeliveryInput<unknown>, place: { server: string; image: string }): string {
  const { parsed, restore } = parse(input);
  const { document } = parsed;
  const { service, image } = input;
  const mistakes = [
    findOther(parsed, ['image'], place.image, restore),
    findOther(parsed, ['registry', 'server'], place.server, restore),
  ].filter((mistake) => mistake !== undefined);
  parsed.refuseAny(mistakes);
  const set = (path: readonly PathKey[], value: unknown) => {
    const said = readValueAt(parsed.value, path);
    if (said !== undefined && said !== null && said !== '') return;
    ensureMappings(parsed, path.slice(0, -1));
    document.setIn(path, value);
  };
  set(['service'], service.name);
  set(['image'], place.image);
  set(['registry', 'server'], place.server);
  set(['builder', 'arch'], image.platform?.split('/')[1] ?? 'amd64');
  // `proxy: false` and the like say that requests do not go through it.
  const proxy = document.get('proxy');
  if (proxy === undefined || proxy === null || isMap(proxy)) {
    if (service.port !== undefined) set(['proxy', 'app_port'], service.port);
    if (service.health !== undefined) set(['proxy', 'healthcheck', 'path'], service.health);
  }
  return restore(document.toString({ lineWidth: 0 }));
}

function parse({ image, target, template }: Pick<DeliveryInput<unknown>, 'image' | 'target' | 'template'>): {
  parsed: ParsedTemplate;
  restore: MaskedText['restore'];
} {
  const { path, files } = template!;
  const whole = [...files.values()][0]!;
  const lines = whole.split('\n');
  const ruby = lines.findIndex((line) => /^\s*<%/.test(line));
  if (ruby >= 0)
    throw refuseDelivery(image, target, `${path}:${ruby + 1} has a line of Ruby, and gbuild reads YAML`, [
      'keep <% and %> inside of values and comments',
    ]);
  const { text, restore } = maskRuby(whole);
  const parsed = new ParsedTemplate(path, whole, text);
  if (!isMap(parsed.document.contents))
    parsed.refuseAny([
      parsed.mistake([], { expected: "a mapping, as in Kamal's deploy.yml", found: 'something else' }),
    ]);
  return { parsed, restore };
}

/** Makes a mapping of each key above that is there without a value. */
function ensureMappings(parsed: ParsedTemplate, path: readonly PathKey[]): void {
  for (let depth = 1; depth <= path.length; depth += 1) {
    const above = path.slice(0, depth);
    const node = parsed.document.getIn(above, true);
    if (node === undefined || isMap(node)) continue;
    if (isScalar(node) && node.value === null) parsed.document.setIn(above, parsed.document.createNode({}));
    else parsed.refuseAny([parsed.mistake(above, { expected: 'a mapping', found: 'something else' })]);
  }
}

/** Finds another value than the release's own. Kamal's `image` has neither registry nor tag: it may be there. */
function findOther(
  parsed: ParsedTemplate,
  path: readonly PathKey[],
  wanted: string,
  restore: MaskedText['restore'],
): Mistake | undefined {
  const said = readValueAt(parsed.value, path);
  if (said === undefined || said === null || said === '' || said === wanted) return undefined;
  return parsed.mistake(path, {
    expected: `${wanted}, where the release is`,
    found: restore(JSON.stringify(said)),
    hint: `write ${wanted}, or leave the key out`,
  });
}
