import { join } from 'node:path';
import { createFixture } from 'fs-fixture';
import { describe, expect, it } from 'vitest';
import { planImage } from '../../src/plan/image-plan.ts';
import { parseSpec } from '../../src/spec/read/read-spec.ts';
import { readCatalog } from '../../src/toolchain/catalog/catalog.ts';
import { readChoices } from '../../src/toolchain/detect/choices.ts';
import { readDefaults } from '../../src/toolchain/detect/defaults.ts';
import { resolveToolchain } from '../../src/toolchain/resolve/resolve.ts';
import { errorOf } from '../support/assert/error-of.ts';

const catalog = await readCatalog([join(import.meta.dirname, '../../images')]);

function defaultsOf(rootDir: string, toolchain: string) {
  const { data } = catalog.find(toolchain)!;
  return readDefaults(rootDir, data, readChoices(rootDir, data));
}
const { spec } = parseSpec('gbuild: 1\nname: hello\ntoolchain: node@22.21.1\nimage: {entrypoint: [node, a.js]}\n');
const toolchain = resolveToolchain(spec.toolchain, catalog);
const revision = {
  commit: 'c'.repeat(40),
  commitTime: '2024-05-06T07:08:09Z',
  describe: 'v1.0.0-3-gccccccc',
  sourceUrl: 'https://example.org/a-fork',
  dirty: [],
  untracked: [],
  shallow: false,
};
const plan = (origin?: string, version?: string) =>
  planImage({
    spec,
    toolchain,
    defaults: { tasks: {}, layers: [], jreLayers: [], ...(origin !== undefined && { origin }) },
    revision,
    version,
    tasks: [],
  });

describe('planImage', () => {
  it.each([
    ['git+https://ada:secret@example.org/ada/hello.git', 'https://example.org/ada/hello.git'],
    ['git+ssh://git@example.org/ada/hello.git', 'https://example.org/ada/hello.git'],
    ['github:ada/hello', undefined],
    ['ada/hello', undefined],
    [undefined, undefined],
  ])("labels the source as the repository's files have it (%s), never as the clone has it", (origin, source) => {
    expect(plan(origin).labels['org.opencontainers.image.source']).toBe(source);
  });

  it('gives a command that asks for PORT a default, and exposes it', () => {
    const configOf = (image: string) => {
      const body = parseSpec(`gbuild: 1\nname: hello\ntoolchain: node\nimage: {${image}}\n`).spec;
      const defaults = { tasks: {}, layers: [], jreLayers: [] };
      const { Env, ExposedPorts } = planImage({ spec: body, toolchain, defaults, revision, tasks: [] }).config;
      return [Env, Object.keys(ExposedPorts ?? {})];
    };
    const line = (text: string) => `entrypoint: [/bin/sh, -c, '${text}']`;
    expect(configOf(line('exec node a.js --port $PORT'))).toEqual([['PORT=8080'], ['8080/tcp']]);
    expect(configOf(line(`exec node a.js -p \${PORT:-3000}`))).toEqual([['PORT=3000'], ['3000/tcp']]);
    expect(configOf(`${line('$PORT')}, env: {PORT: "80"}`)).toEqual([['PORT=80'], ['80/tcp']]);
    expect(configOf(`${line('$PORT')}, expose: [53/udp]`)).toEqual([['PORT=8080'], ['53/udp']]);
    expect(configOf(line('node $PORTAL'))).toEqual([[], []]);
    expect(configOf('entrypoint: [node, $PORT]')).toEqual([[], []]);
  });

  it('has its Java runtime below its own layers, laid out by the same task as those of the toolchain', () => {
    const layer = (name: string) => ({
      ...{ name, from: [`${name}/`], to: `/${name}`, include: [], exclude: [] },
      ...{ select: 'all' as const, outputs: [], optional: false, whole: false, when: [], unless: [] },
    });
    const stage = { run: 'stage', needs: [], env: {}, reports: [], because: '' };
    const planOf = (image: string) => {
      const { layers, buildTask } = planImage({
        spec: parseSpec(`gbuild: 1\nname: hello\ntoolchain: jvm\nimage: {entrypoint: [java], ${image}}\n`).spec,
        toolchain,
        defaults: { tasks: { stage }, layers: [layer('classes')], jreLayers: [layer('jre')] },
        revision,
        tasks: ['build', 'stage'],
      });
      return [layers.map(({ name }) => name), buildTask];
    };
    expect(planOf('jre: jlink')).toEqual([['jre', 'classes'], 'stage']);
    expect(planOf('jre: jlink, layers: [{name: mine, from: dist}]')).toEqual([['jre', 'mine'], 'stage']);
  });

  it('installs what it packs where there is nothing to build', () => {
    const install = { run: 'install', needs: [], env: {}, reports: [], because: '' };
    const defaults = { tasks: { install }, layers: [], jreLayers: [] };
    const taskOf = (tasks: string[], image = '{entrypoint: [a]}') =>
      planImage({
        spec: parseSpec(`gbuild: 1\nname: hello\ntoolchain: node\nimage: ${image}\n`).spec,
        ...{ toolchain, defaults, revision, tasks },
      }).buildTask;
    expect(taskOf(['install', 'build'])).toBe('build');
    expect(taskOf(['install'])).toBe('install');
    expect(taskOf(['install'], '{entrypoint: [a], layers: [{name: a, from: dist}]}')).toBeUndefined();
  });

  it("refuses Plug'n'Play where the packages are outside of the repository, and names the remedy", async () => {
    const refusalOf = async (files: Record<string, string>) => {
      await using repository = await createFixture({ 'yarn.lock': '__metadata:\n', 'package.json': '{}', ...files });
      return defaultsOf(repository.path, 'node').refusal;
    };
    const refusal = await refusalOf({});
    expect(await refusalOf({ '.yarnrc.yml': 'nodeLinker: node-modules\n' })).toBeUndefined();
    expect(await refusalOf({ '.yarnrc.yml': 'enableGlobalCache: false\n' })).toBeUndefined();
    expect(await refusalOf({ 'package.json': '{"packageManager": "yarn@3.8.0"}' })).toBeUndefined();
    expect(await refusalOf({ 'yarn.lock': '# yarn lockfile v1\n' })).toBeUndefined();
    const planned = (image: string) => () =>
      planImage({
        spec: parseSpec(`gbuild: 1\nname: hello\ntoolchain: node\nimage: ${image}\n`).spec,
        ...{ toolchain, revision, tasks: [] },
        defaults: { tasks: {}, layers: [], jreLayers: [], refusal: refusal! },
      });
    expect(await errorOf(planned('{entrypoint: [a]}'))).toMatchInlineSnapshot(`
      {
        "code": "spec-invalid",
        "message": "no image of hello can be made: yarn installs by Plug'n'Play, whose packages lie in a cache outside of the repository, so they would not be in the image",
        "suggestions": [
          "write "nodeLinker: node-modules" in .yarnrc.yml, or "enableGlobalCache: false" and commit .yarn/cache",
          "write image.layers in gbuild.yml",
        ],
      }
    `);
    expect(planned('{entrypoint: [a], layers: [{name: a, from: dist}]}')).not.toThrow();
  });

  it("refuses a Procfile's line that it does not understand, with its place and what to write", async () => {
    await using repository = await createFixture({ 'build.sbt': '', Procfile: 'release: x\nweb: sbt run\n' });
    const defaults = defaultsOf(repository.path, 'sbt');
    const planned = (image: string) => () =>
      planImage({
        spec: parseSpec(`gbuild: 1\nname: hello\ntoolchain: node\nimage: ${image}\n`).spec,
        ...{ toolchain, revision, tasks: [], defaults },
      });
    expect(await errorOf(planned('{}'))).toMatchInlineSnapshot(`
      {
        "code": "spec-invalid",
        "message": "nothing says what the image of hello starts: image.entrypoint is not in gbuild.yml, and it is not known what the command of Procfile:2 is in the image: sbt run",
        "suggestions": [
          "write under "image:" in gbuild.yml: entrypoint: [/app/start]   # arguments behind it",
        ],
      }
    `);
    expect(planned('{entrypoint: [/app/start]}')).not.toThrow();
  });

  it('has folders that its user may write to, by the numbers of the user', () => {
    const writableOf = (image: string) =>
      planImage({
        spec: parseSpec(`gbuild: 1\nname: hello\ntoolchain: node\nimage: {entrypoint: [node], ${image}}\n`).spec,
        toolchain,
        defaults: { tasks: {}, layers: [], jreLayers: [] },
        revision,
        tasks: [],
      }).writable;
    expect(writableOf('expose: [80]')).toBeUndefined();
    const folders = ['app/uploads', 'var/lib/hello'];
    const writable = 'writable: [/var/lib/hello, uploads, ./uploads]';
    expect(writableOf(writable)).toEqual({ folders, uid: 65532, gid: 65532 });
    expect(writableOf(`${writable}, user: 1000`)).toEqual({ folders, uid: 1000, gid: 0 });
    expect(writableOf(`${writable}, user: "7:8"`)).toEqual({ folders, uid: 7, gid: 8 });
    expect(() => writableOf(`${writable}, user: node`)).toThrow(
      'image.writable wants the number of the user, and image.user is node',
    );
  });

  it('takes its time from the commit, and its tag from the version or from what git says', () => {
    expect([plan().created, plan().tag, plan(undefined, '1.0.1').tag]).toEqual([
      '2024-05-06T07:08:09Z',
      'dev-1.0.0-3-gccccccc',
      '1.0.1',
    ]);
  });
});
