import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { planImage } from '../../src/plan/image-plan.ts';
import { parseSpec } from '../../src/spec/read.ts';
import { readCatalog } from '../../src/toolchain/catalog.ts';
import { resolveToolchain } from '../../src/toolchain/resolve.ts';

const catalog = await readCatalog([join(import.meta.dirname, '../../images')]);
const { spec } = parseSpec('gbuild: 1\nname: hello\ntoolchain: node@22.21.1\nimage: {entrypoint: [node, a.js]}\n');
const toolchain = resolveToolchain(spec.toolchain, catalog);
const revision = {
  commit: 'c'.repeat(40),
  commitTime: '2024-05-06T07:08:09Z',
  describe: 'v1.0.0-3-gccccccc',
  sourceUrl: 'https://example.org/a-fork',
  dirty: [],
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

  it('takes its time from the commit, and its tag from the version or from what git says', () => {
    expect([plan().created, plan().tag, plan(undefined, '1.0.1').tag]).toEqual([
      '2024-05-06T07:08:09Z',
      'dev-1.0.0-3-gccccccc',
      '1.0.1',
    ]);
  });
});
