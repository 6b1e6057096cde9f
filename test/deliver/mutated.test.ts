import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { chooseTarget } from '../../src/actions/deliver/choose-target.ts';
import type { DeliveredImage } from '../../src/deliver/delivered-image.ts';
import type { DeliveryFile, TextFile } from '../../src/deliver/files.ts';
import { describeService } from '../../src/deliver/service.ts';
import type { AnyTarget } from '../../src/deliver/target.ts';
import { targets } from '../../src/deliver/targets/table.ts';
import type { Template } from '../../src/deliver/template.ts';
import { GbuildError } from '../../src/errors.ts';
import { parseSpec } from '../../src/spec/read/read-spec.ts';
import { judgeTaskDefinition } from '../support/deployers/ecs-model.ts';
import { image } from './delivery-input.ts';
import { sampleTemplates } from './samples.ts';

/** Descriptions and templates over all kinds; each kind has its share. */
const leastRuns = 500;
const runs = Math.max(100, Math.ceil(leastRuns / targets.length));

const service = {
  name: 'hello',
  port: 8080,
  health: '/health',
  env: { GREETING: 'it\'s "5 $"', VERSION: '1.10' },
  cpu: 0.25,
  memory: '512m',
  args: ['--name', 'a b'],
  volumes: [{ from: 'data', to: '/data', readOnly: false }],
};

const hostile = fc.constantFrom<unknown>(
  ...[
    '',
    ' ',
    '\n',
    '"',
    "'",
    '$HOME',
    '$' + '{A}',
    '%s',
    '{{ x }}',
    '<<',
    '*a',
    '&a',
    '!!js',
    '\0',
    '\u2028',
    '😀',
    '__proto__',
  ],
  ...[
    'constructor',
    'yes',
    '1.10',
    'null',
    '../..',
    'x'.repeat(300),
    'hello',
    'FARGATE',
    'acme/hello:1.0.0',
    '/srv/a b',
  ],
  ...[null, true, false, 0, -1, 1.5, 1e21, 2 ** 53, Number.MIN_VALUE],
  ...[[], {}, [[]], { __proto__: null, a: [{}] }, [null], { name: 'hello' }],
);
const anything = fc.oneof({ weight: 3, arbitrary: hostile }, fc.jsonValue({ maxDepth: 2 }));

/** Replaces, removes or adds a few values somewhere in a value of JSON. */
const changes = fc.array(fc.record({ at: fc.nat(), how: fc.constantFrom('replace', 'remove', 'add'), by: anything }), {
  maxLength: 3,
});
type Change = { at: number; how: string; by: unknown };

function mutate(value: unknown, list: readonly Change[]): unknown {
  const copy = structuredClone({ root: value });
  for (const { at, how, by: given } of list) {
    // A value that is in several places would become part of itself.
    const by = structuredClone(given);
    const places: [Record<string, unknown>, string][] = [];
    const walk = (node: unknown): void => {
      if (typeof node !== 'object' || node === null) return;
      for (const [key, below] of Object.entries(node)) {
        places.push([node as Record<string, unknown>, key]);
        walk(below);
      }
    };
    walk(copy.root);
    const place = places[at % Math.max(1, places.length)];
    if (place === undefined) continue;
    const [node, key] = place;
    if (how === 'remove' && !Array.isArray(node)) delete node[key];
    else if (how === 'add' && !Array.isArray(node)) node[typeof by === 'string' ? by : 'added'] = by;
    else node[key] = by;
  }
  return copy.root;
}

const cut = fc.record({
  at: fc.nat(),
  length: fc.nat(20),
  by: fc.oneof(
    fc.string({ maxLength: 5 }),
    hostile.map((value) => JSON.stringify(value)),
  ),
});

/** Changes a text: the values of JSON, or characters. */
function mutatedText(samples: readonly string[]): fc.Arbitrary<string> {
  return fc
    .record({
      sample: fc.constantFrom(...samples),
      list: changes,
      cuts: fc.array(cut, { maxLength: 2 }),
      isCut: fc.boolean(),
    })
    .map(({ sample, list, cuts, isCut }) => {
      if (!isCut && sample.startsWith('{')) return JSON.stringify(mutate(JSON.parse(sample), list), undefined, 1);
      return cuts.reduce((done, { at, length, by }) => {
        const from = at % (done.length + 1);
        return done.slice(0, from) + by + done.slice(from + length);
      }, sample);
    });
}

const fileNames = [
  'values.yaml',
  'deployment.yaml',
  '.ebextensions/a.config',
  '.platform/hooks/x.sh',
  'Dockerfile',
  'nova.yml',
  'a b/ü',
];

function fileOf(text: string): Template {
  return { path: 'own/template', files: new Map([['template', text]]) };
}

/** Makes templates for a kind, most of them of samples that fit it. */
function templateOf(kind: AnyTarget): fc.Arbitrary<Template | undefined> {
  const { use, is } = kind.template;
  if (use === 'none') return fc.constant(undefined);
  const fitting = sampleTemplates.filter(
    (sample) => is === 'file' && refusable(() => renderFor(kind, { template: fileOf(sample) })) !== undefined,
  );
  const text = fc.oneof(
    { weight: 3, arbitrary: mutatedText(fitting.length > 0 ? fitting : sampleTemplates) },
    mutatedText(sampleTemplates),
  );
  if (is === 'file') return text.map(fileOf);
  const folder = fc.dictionary(fc.constantFrom(...fileNames), text, { maxKeys: 3 });
  return folder.map((files) => ({ path: 'own', files: new Map(Object.entries(files)) }));
}

interface Described {
  service?: unknown;
  options?: unknown;
  template?: Template | undefined;
  released?: DeliveredImage;
}

/** Renders as `gbuild deliver` does: gbuild.yml is parsed, the target chosen, its options checked. */
function renderFor(kind: AnyTarget, described: Described): DeliveryFile[] {
  const { template, released = image } = described;
  const targetSpec = { kind: kind.kind, options: described.options ?? {} };
  const deliver = JSON.stringify({ service: described.service ?? service, targets: { mine: targetSpec } });
  const { spec } = parseSpec(`gbuild: 1\nname: acme/hello\ntoolchain: node@^22\ndeliver: ${deliver}\n`);
  const { options } = chooseTarget('mine', { spec, specFile: undefined });
  return kind.render({
    image: released,
    service: describeService(released.name, released.config, spec.deliver.service),
    options,
    target: 'mine',
    ...(template !== undefined && { template }),
  });
}

const configs: DeliveredImage['config'][] = [
  { Entrypoint: ['node', 'server.js'], ExposedPorts: { '8080/tcp': {} } },
  { Entrypoint: ["it's", '\\', '"'] },
  {},
];
const images: fc.Arbitrary<DeliveredImage> = fc
  .record({
    config: fc.constantFrom(...configs),
    repository: fc.constantFrom(
      'registry.example.com/acme/hello',
      '123456789012.dkr.ecr.eu-west-1.amazonaws.com/acme/hello',
    ),
    platform: fc.constantFrom(undefined, 'linux/amd64', 'linux/arm64', 'linux/s390x'),
  })
  .map(({ config, repository, platform }) => {
    const { platform: _, ...rest } = image;
    return {
      ...rest,
      config,
      published: { repository, digest: image.published!.digest },
      ...(platform !== undefined && { platform }),
    };
  });

/** Judges of single kinds; the others are judged by the parse of each file. */
const judges: Record<string, (texts: ReadonlyMap<string, string>) => string[]> = {
  ecs: (texts) =>
    [...texts].flatMap(([path, text]) => (path.startsWith('taskdef') ? judgeTaskDefinition(JSON.parse(text)) : [])),
};

function judgeText({ path, text }: TextFile): string[] {
  if (path.endsWith('.json')) return typeof JSON.parse(text) === 'object' ? [] : [`${path} is no JSON of an object`];
  if (!/\.ya?ml$/.test(path)) return [];
  return parseAllDocuments(text).flatMap((document) =>
    ('errors' in document ? document.errors : []).map(({ message }) => `${path}: ${message}`),
  );
}

const listTexts = (files: readonly DeliveryFile[]): TextFile[] =>
  files.flatMap((file) =>
    file.kind === 'text' ? [file] : 'entries' in file ? file.entries.filter((entry) => entry.kind === 'text') : [],
  );

const outcomes = { accepted: 0, refused: 0 };
afterAll(() => {
  expect(outcomes.accepted + outcomes.refused).toBeGreaterThanOrEqual(leastRuns);
  expect([outcomes.accepted > leastRuns / 20, outcomes.refused > leastRuns / 20], JSON.stringify(outcomes)).toEqual([
    true,
    true,
  ]);
});

/** Returns what a call gives, or undefined where it refuses. Any other error passes, with its stack. */
function refusable<T>(call: () => T): T | undefined {
  try {
    return call();
  } catch (thrown) {
    if (!(thrown instanceof GbuildError) || thrown.code === 'bug') throw thrown;
    expect(thrown.message).not.toMatch(/^\s+at .+:\d+:\d+/m);
    return undefined;
  }
}

test.for(targets.map((kind) => [kind.kind, kind] as const))(
  '%s renders mutated descriptions and templates, or refuses them in words',
  ([, kind]) => {
    const keys = Object.keys(kind.options.shape);
    const options = fc.dictionary(fc.constantFrom(...(keys.length > 0 ? keys : ['none'])), anything, { maxKeys: 2 });
    const templates = templateOf(kind);
    const isNeeded = kind.template.use === 'required';
    const input = fc.oneof(
      fc.record<Described>({
        service: changes.map((list) => mutate(service, list)),
        ...(isNeeded && { template: templates }),
      }),
      fc.record<Described>({ options, ...(isNeeded && { template: templates }) }),
      fc.record<Described>({ released: images, ...(isNeeded && { template: templates }) }),
      fc.record<Described>({ template: templates }),
    );
    const property = fc.property(input, (described) => {
      const files = refusable(() => renderFor(kind, described));
      outcomes[files === undefined ? 'refused' : 'accepted'] += 1;
      if (files === undefined) return;
      // Files of a template pass as they are: what they say is not ours to judge.
      const own = new Set(described.template?.files.values());
      const texts = listTexts(files).filter((file) => !own.has(file.text));
      const judge = judges[kind.kind] ?? (() => []);
      expect([...texts.flatMap(judgeText), ...judge(new Map(texts.map((file) => [file.path, file.text])))]).toEqual([]);
      expect(renderFor(kind, described)).toEqual(files);
    });
    fc.assert(property, { numRuns: runs });
  },
);
