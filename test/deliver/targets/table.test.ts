import { mkdirSync, mkdtempDisposableSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { chooseTarget } from '../../../src/actions/deliver/choose-target.ts';
import { listTargets } from '../../../src/actions/deliver/list-targets.ts';
import { readTemplate } from '../../../src/actions/deliver/read-template.ts';
import { writeDelivery } from '../../../src/actions/deliver/write-delivery.ts';
import { textFile } from '../../../src/deliver/files.ts';
import { referByDigest } from '../../../src/deliver/refuse.ts';
import { describeService } from '../../../src/deliver/service.ts';
import type { DeliveryTarget } from '../../../src/deliver/target.ts';
import { targets } from '../../../src/deliver/targets/table.ts';
import { silentProgress } from '../../../src/reporter/progress.ts';
import { parseSpec } from '../../../src/spec/read/read-spec.ts';
import { errorOf } from '../../support/assert/error-of.ts';
import { hostIn } from '../../support/toolchains/host-in.ts';
import { image } from '../delivery-input.ts';

const src = fileURLToPath(new URL('../../../src', import.meta.url));
const folder = 'deliver/targets';

/** Folders that deal with deliveries. */
const delivers = /^(actions\/|commands\/)?deliver\//;

/** Kind that is in no table of gbuild. */
const thirteenth: DeliveryTarget<{ greeting: string }> = {
  kind: 'thirteenth',
  summary: 'the thirteenth system',
  takes: 'digest',
  takesOnePlatform: false,
  options: z.strictObject({ greeting: z.string() }),
  template: { use: 'required', is: 'file' },
  needs: ['a greeting'],
  render: ({ image: released, service, options, template }) => [
    textFile(
      'thirteenth.txt',
      [options.greeting, service.name, referByDigest(released), ...template!.files.values()].join('\n'),
    ),
  ],
};

test('each row of the table has a folder of its own, and each folder a row', () => {
  const kinds = targets.map(({ kind }) => kind);
  const folders = readdirSync(join(src, folder), { withFileTypes: true }).filter((entry) => entry.isDirectory());
  expect(kinds).toEqual(folders.map(({ name }) => name).sort());
});

test('nothing but the table knows a kind of target: neither by its name nor by its folder', () => {
  const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
  const wrong = files.flatMap((file) => {
    const text = readFileSync(join(src, file), 'utf8');
    const isOwn = (kind: string) => file.startsWith(`${folder}/${kind}/`);
    return targets.flatMap(({ kind }) => {
      // Other rooms have words of the same name: the Swarm that runs shards.
      const names = delivers.test(file) && !isOwn(kind) && new RegExp(`(['"\`])${kind}\\1`).test(text);
      const imports =
        !isOwn(kind) && file !== `${folder}/table.ts` && new RegExp(`/targets/${kind}/[\\w-]+\\.ts'`).test(text);
      return names || imports ? [`${file}: ${kind}`] : [];
    });
  });
  expect(wrong).toEqual([]);
});

test('a thirteenth target is one more row: it is listed, chosen, checked, rendered and written like the others', async () => {
  using dir = mkdtempDisposableSync(join(tmpdir(), 'gbuild-thirteenth-'));
  const specFile = join(dir.path, 'gbuild.yml');
  const spec = `gbuild: 1
name: acme/hello
toolchain: node@^22
deliver:
  targets:
    mine: {kind: thirteenth, template: own/template.txt, options: {greeting: hello}}
    wrong: {kind: thirteenth, options: {greting: hello}}
    other: {kind: thirteen}
`;
  writeFileSync(specFile, spec);
  const kinds = [...targets, thirteenth];
  const given = { spec: parseSpec(spec).spec, specFile, kinds };
  const refusal = async (name: string) =>
    (await errorOf(() => chooseTarget(name, given))).message.replace(dirname(specFile), '');
  expect([await refusal('wrong'), await refusal('other')]).toMatchInlineSnapshot(`
    [
      "/gbuild.yml:7:40 deliver.targets.wrong.options.greeting: Invalid input: expected string, received undefined",
      "/gbuild.yml:8:19 deliver.targets.other.kind: there is no kind of target "thirteen"",
    ]
  `);

  const target = chooseTarget('mine', given);
  expect((await errorOf(() => readTemplate(dir.path, target))).message).toMatchInlineSnapshot(
    `"the target mine (thirteenth) needs a template, and there is no own/template.txt"`,
  );
  mkdirSync(join(dir.path, 'own'));
  writeFileSync(join(dir.path, 'own/template.txt'), 'of the repository\n');

  const service = describeService(image.name, image.config, given.spec.deliver.service);
  const files = target.kind.render({
    image,
    service,
    options: target.options,
    template: readTemplate(dir.path, target)!,
    target: target.name,
  });
  mkdirSync(join(dir.path, 'out'));
  const written = await writeDelivery(files, join(dir.path, 'out'), () =>
    Promise.reject(new Error('no image was asked for')),
  );
  expect(written.map(({ path }) => path)).toEqual(['thirteenth.txt']);
  expect(readFileSync(join(dir.path, 'out/thirteenth.txt'), 'utf8')).toMatchInlineSnapshot(`
    "hello
    hello
    registry.example.com/acme/hello@sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb
    of the repository
    "
  `);
});

test('the list of targets has the thirteenth, too', async () => {
  using dir = mkdtempDisposableSync(join(tmpdir(), 'gbuild-thirteenth-'));
  writeFileSync(join(dir.path, 'gbuild.yml'), 'gbuild: 1\nname: acme/hello\ntoolchain: node@^22\n');
  const context = { host: hostIn(dir.path), installDir: dirname(src), progress: silentProgress };
  const listed = await listTargets(context, [...targets, thirteenth]);
  expect(listed.map(({ kind }) => kind)).toEqual([...targets.map(({ kind }) => kind), 'thirteenth']);
  expect(listed.at(-1)).toMatchInlineSnapshot(`
    {
      "kind": "thirteenth",
      "missing": "gbuild.yml deliver.targets.thirteenth.options.greeting: Invalid input: expected string, received undefined",
      "name": "thirteenth",
      "needs": [
        "a greeting",
      ],
      "summary": "the thirteenth system",
      "takes": "digest",
    }
  `);
});
