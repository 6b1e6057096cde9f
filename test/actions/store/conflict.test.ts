import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { refuseSet } from '../../../src/actions/store/conflict.ts';
import type { GbuildError } from '../../../src/errors.ts';
import { extendImage, type Image, scratchImage } from '../../../src/oci/image/image.ts';
import { type Layer, packLayer } from '../../../src/oci/layer/layer.ts';
import { gatherImages } from '../../../src/oci/layout/image-set.ts';
import type { RunConfig } from '../../../src/oci/spec.ts';

function layerOf(name: string, files: Record<string, string>): Layer {
  const entries = Object.entries(files).map(([path, text]) => {
    const bytes = Buffer.from(text);
    return { path, type: 'file' as const, executable: false, content: { bytes, size: bytes.length } };
  });
  return packLayer(entries, { createdBy: name });
}

const scratch = scratchImage({ os: 'linux', architecture: 'amd64' });
const created = '2024-05-06T07:08:09Z';
const baseOf = (text: string) => extendImage(scratch, [layerOf('base', { base: text })], { created });

interface Made {
  base?: Image;
  layers?: Layer[];
  config?: Partial<RunConfig>;
  labels?: Record<string, string>;
  created?: string;
}

function make({ base = baseOf('one'), layers = [layerOf('app', { a: '1' })], ...options }: Made): Image {
  return extendImage(base, layers, { created, ...options });
}

/** What is said when `before` has the version and `after` wants it; digests made plain. */
async function refusal(before: Image, after: Image, withBytes = true): Promise<string> {
  const readLayer = (diffId: string) => {
    const layer = before.layers.find((each) => each.diffId === diffId);
    return layer === undefined || !withBytes ? undefined : Readable.from(layer.chunks());
  };
  const released = { id: before.id, where: 'in the release store', config: before.config, readLayer };
  const thrown = (await refuseSet('hello:1.0.1', [released], gatherImages([after])).catch(
    (error: unknown) => error,
  )) as GbuildError;
  expect([thrown.code, thrown.exitCode]).toEqual(['release-refused', 2]);
  return thrown.message
    .split('\n')
    .slice(1)
    .join('\n')
    .replaceAll(/\b[0-9a-f]{12}\b/g, 'ID');
}

describe('a refused release says', () => {
  it('which files of which layer were added, removed and changed', async () => {
    const before = make({ layers: [layerOf('dependencies', { d: '1' }), layerOf('app', { a: '1', b: '1', c: '1' })] });
    const after = make({ layers: [layerOf('dependencies', { d: '1' }), layerOf('app', { a: '1', b: '2', e: '1' })] });
    expect(await refusal(before, after)).toMatchInlineSnapshot(`
      "  app: changed b
        app: removed c
        app: added e"
    `);
  });

  it('no more than five files of a layer, and how many more there are', async () => {
    const files = (text: string) => Object.fromEntries(Array.from({ length: 8 }, (_, i) => [`file ${i}`, text]));
    const [before, after] = ['1', '2'].map((text) => make({ layers: [layerOf('app', files(text))] }));
    expect(await refusal(before!, after!)).toMatchInlineSnapshot(`
      "  app: changed file 0
        app: changed file 1
        app: changed file 2
        app: changed file 3
        app: changed file 4
        app: and 3 more paths"
    `);
  });

  it('that a layer is other bytes where the old ones are not at hand, is new, or is gone', async () => {
    const [one, two, three] = ['1', '2', '3'].map((text) => layerOf(`layer ${text}`, { a: text }));
    expect(await refusal(make({ layers: [one!] }), make({ layers: [two!] }), false)).toMatchInlineSnapshot(
      `"  layer 2: other bytes (ID, now ID)"`,
    );
    expect(await refusal(make({ layers: [one!] }), make({ layers: [one!, three!] }))).toMatchInlineSnapshot(
      `"  layer 3: was not there"`,
    );
    expect(await refusal(make({ layers: [one!, three!] }), make({ layers: [one!] }))).toMatchInlineSnapshot(
      `"  layer 3: is gone"`,
    );
  });

  it('that it stands on another base, by name and digest, and nothing of the layers above', async () => {
    const labels = (digest: string) => ({
      'org.opencontainers.image.base.name': 'runtime:1',
      'org.opencontainers.image.base.digest': `sha256:${digest.repeat(32)}`,
    });
    const before = make({ labels: labels('ab') });
    const after = make({ base: baseOf('two'), layers: [layerOf('app', { a: '2' })], labels: labels('cd') });
    expect(await refusal(before, after)).toMatchInlineSnapshot(`"  base: runtime:1 (ID), now runtime:1 (ID)"`);
  });

  it('what of the config is another: commit, command, environment, user, ports, labels', async () => {
    const before = make({ config: { Entrypoint: ['a'], Env: ['A=1'], User: '1' }, labels: { team: 'web' } });
    const after = make({
      config: { Cmd: ['b'], Env: ['A=2'], ExposedPorts: { '80/tcp': {} } },
      labels: { 'org.opencontainers.image.revision': '0123456789' },
    });
    expect(await refusal(before, after)).toMatchInlineSnapshot(`
      "  commit: (none), now 0123456789
        entrypoint: ["a"], now (none)
        cmd: (none), now ["b"]
        env A: 1, now 2
        user: 1, now (none)
        expose: (none), now ["80/tcp"]
        label team: web, now (none)"
    `);
  });

  it('that only times or history differ, when nothing else does', async () => {
    expect(await refusal(make({}), make({ created: '2025-05-06T07:08:09Z' }))).toMatchInlineSnapshot(
      `"  how it was made: the times or the history of its config"`,
    );
  });
});
