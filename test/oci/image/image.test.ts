import { describe, expect, it } from 'vitest';
import { type Digest, digestOf } from '../../../src/oci/digest.ts';
import { archiveChunks } from '../../../src/oci/image/archive.ts';
import { extendImage, scratchImage } from '../../../src/oci/image/image.ts';
import { readArchive } from '../../../src/oci/image/read-archive.ts';
import { packLayer } from '../../../src/oci/layer/layer.ts';
import type { ImageConfig } from '../../../src/oci/spec.ts';
import { asStream, file, goldenTree, makeFolder, readByTarStream } from '../../support/images/tree.ts';

const platform = { os: 'linux', architecture: 'amd64' };
const created = '2024-05-06T07:08:09Z';
const layer = packLayer(goldenTree, { createdBy: 'gbuild: application' });
const baseDiffId: Digest = `sha256:${'b'.repeat(64)}`;

const base: ImageConfig = {
  ...platform,
  created: '2020-01-01T00:00:00Z',
  config: {
    Env: ['PATH=/bin', 'LANG=C'],
    Cmd: ['sh'],
    Labels: { base: 'yes', over: 'base' },
    ExposedPorts: { '80/tcp': {} },
  },
  rootfs: { type: 'layers', diff_ids: [baseDiffId] },
  history: [{ created_by: 'debootstrap' }, { created_by: 'ENV', empty_layer: true }],
};

const golden = extendImage({ config: base, layers: [{ diffId: baseDiffId, size: 1024 }] }, [layer], {
  created,
  config: { Entrypoint: ['node', 'server.js'], Env: ['PATH=/app/bin:/bin', 'NODE_ENV=production'], User: '1000:1000' },
  labels: { over: 'ours', 'org.opencontainers.image.version': '1.0.1' },
  annotations: { 'org.opencontainers.image.version': '1.0.1' },
  comment: 'gbuild',
});

describe('extendImage', () => {
  it('gives the golden image the same id and manifest digest for ever', () => {
    expect([golden.id, golden.manifestDigest]).toMatchInlineSnapshot(`
      [
        "sha256:29b475719446ddedee65d90f7d80ee9ccaccbbaadf4f8dde9a87b82e317a1f06",
        "sha256:b4d26c2a0efd8007b57e4e5087a4a1e61627cd1eb283490ee5d703c54e46ada7",
      ]
    `);
  });

  it('merges the config over the base’s and appends layers and history', () => {
    expect(golden.config).toMatchInlineSnapshot(`
      {
        "architecture": "amd64",
        "config": {
          "Entrypoint": [
            "node",
            "server.js",
          ],
          "Env": [
            "PATH=/app/bin:/bin",
            "LANG=C",
            "NODE_ENV=production",
          ],
          "ExposedPorts": {
            "80/tcp": {},
          },
          "Labels": {
            "base": "yes",
            "org.opencontainers.image.version": "1.0.1",
            "over": "ours",
          },
          "User": "1000:1000",
        },
        "created": "2024-05-06T07:08:09Z",
        "history": [
          {
            "created_by": "debootstrap",
          },
          {
            "created_by": "ENV",
            "empty_layer": true,
          },
          {
            "comment": "gbuild",
            "created": "2024-05-06T07:08:09Z",
            "created_by": "gbuild: application",
          },
        ],
        "os": "linux",
        "rootfs": {
          "diff_ids": [
            "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb",
            "sha256:d35021e37790b5faf0903fa07d5bc93bc643a96c7c4d0dfbcd8ceb6e9b7f9803",
          ],
          "type": "layers",
        },
      }
    `);
  });

  it('names the base’s layers in the manifest by their diffIDs', () => {
    expect(golden.manifest.layers.map(({ digest, size }) => [digest, size])).toEqual([
      [baseDiffId, 1024],
      [layer.diffId, layer.size],
    ]);
  });

  it('does not depend on the order in which keys were given', () => {
    const turned = { ...base, config: Object.fromEntries(Object.entries(base.config).reverse()) };
    const options = { created, labels: { a: '1', b: '2' } };
    const other = { labels: { b: '2', a: '1' }, created };
    expect(extendImage({ config: turned }, [layer], options).id).toBe(extendImage({ config: base }, [layer], other).id);
  });

  it('does not depend on how an engine spells what is not there', () => {
    const inspected = {
      ...base,
      config: { ...base.config, Hostname: 'abc', Volumes: null, Entrypoint: [], User: '', Image: 'x' },
    };
    const bySpec = extendImage({ config: base }, [layer], { created });
    expect(extendImage({ config: inspected as unknown as ImageConfig }, [layer], { created }).id).toBe(bySpec.id);
  });

  it('keeps the base’s command when the entrypoint is not changed, and drops it when it is', () => {
    expect(extendImage({ config: base }, [], { created }).config.config.Cmd).toEqual(['sh']);
    expect(golden.config.config.Cmd).toBeUndefined();
  });

  it('gives each base layer a history line where the base’s history does not add up', () => {
    const { history: _, ...without } = base;
    expect(extendImage({ config: without }, [], { created }).config.history).toEqual([
      { created_by: 'base', comment: baseDiffId },
    ]);
  });

  it('can stand on nothing', () => {
    const image = extendImage(scratchImage(platform), [layer], { created });
    expect(image.config.rootfs.diff_ids).toEqual([layer.diffId]);
    expect(image.baseDiffIds).toEqual([]);
  });
});

describe('archiveChunks', () => {
  const tags = ['hello:1.0.1', 'localhost:5000/acme/hello:1.0.1'];

  it('gives the golden archive the same bytes for ever', () => {
    const bytes = Buffer.concat([...archiveChunks(golden, { layers: [layer], tags })]);
    expect(digestOf(bytes)).toMatchInlineSnapshot(
      `"sha256:86f0890844f3d63253015156025c199fb3daf21ef6b85604a6a4cda6dce2212b"`,
    );
  });

  it('is an OCI layout and a docker archive at once, absent layers simply absent', async () => {
    const entries = await readByTarStream(archiveChunks(golden, { layers: [layer], tags }));
    const text = new Map(entries.map((entry) => [entry.path, entry.text]));
    expect([...text.keys()]).toEqual([
      'oci-layout',
      'index.json',
      'manifest.json',
      `blobs/sha256/${golden.manifestDigest.slice(7)}`,
      `blobs/sha256/${golden.id.slice(7)}`,
      `blobs/sha256/${layer.diffId.slice(7)}`,
    ]);
    expect([JSON.parse(text.get('index.json')!), JSON.parse(text.get('manifest.json')!)]).toMatchInlineSnapshot(`
      [
        {
          "manifests": [
            {
              "annotations": {
                "io.containerd.image.name": "docker.io/library/hello:1.0.1",
                "org.opencontainers.image.ref.name": "1.0.1",
              },
              "digest": "sha256:b4d26c2a0efd8007b57e4e5087a4a1e61627cd1eb283490ee5d703c54e46ada7",
              "mediaType": "application/vnd.oci.image.manifest.v1+json",
              "platform": {
                "architecture": "amd64",
                "os": "linux",
              },
              "size": 607,
            },
            {
              "annotations": {
                "io.containerd.image.name": "localhost:5000/acme/hello:1.0.1",
                "org.opencontainers.image.ref.name": "1.0.1",
              },
              "digest": "sha256:b4d26c2a0efd8007b57e4e5087a4a1e61627cd1eb283490ee5d703c54e46ada7",
              "mediaType": "application/vnd.oci.image.manifest.v1+json",
              "platform": {
                "architecture": "amd64",
                "os": "linux",
              },
              "size": 607,
            },
          ],
          "mediaType": "application/vnd.oci.image.index.v1+json",
          "schemaVersion": 2,
        },
        [
          {
            "Config": "blobs/sha256/29b475719446ddedee65d90f7d80ee9ccaccbbaadf4f8dde9a87b82e317a1f06",
            "Layers": [
              "blobs/sha256/bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb",
              "blobs/sha256/d35021e37790b5faf0903fa07d5bc93bc643a96c7c4d0dfbcd8ceb6e9b7f9803",
            ],
            "RepoTags": [
              "hello:1.0.1",
              "localhost:5000/acme/hello:1.0.1",
            ],
          },
        ],
      ]
    `);
  });

  it('carries a layer that stands twice in the image once', async () => {
    const image = extendImage(scratchImage(platform), [layer, layer], { created });
    const entries = await readByTarStream(archiveChunks(image, { layers: image.layers, tags: [] }));
    expect(entries.filter(({ path }) => path.endsWith(layer.diffId.slice(7)))).toHaveLength(1);
  });
});

describe('readArchive', () => {
  it('gives back config, layers and tags of what archiveChunks wrote', async () => {
    await using folder = await makeFolder();
    const image = extendImage(scratchImage(platform), [layer, packLayer([file('b', '2')], { createdBy: 'b' })], {
      created,
    });
    const archive = archiveChunks(image, { layers: image.layers, tags: ['hello:1'] });
    const saved = await readArchive(asStream(archive), folder.path);
    expect(digestOf(saved.configBytes)).toBe(image.id);
    expect(saved.tags).toEqual(['hello:1']);
    expect(saved.layerFiles).toEqual(image.layers.map(({ diffId }) => folder.getPath(`${diffId.slice(7)}.tar`)));
  });

  it('refuses an archive whose layer is absent, cut off, or no archive at all', async () => {
    const image = extendImage(scratchImage(platform), [layer], { created });
    const whole = Buffer.concat([...archiveChunks(image, { layers: [layer], tags: [] })]);
    const thin = [...archiveChunks(image, { layers: [], tags: [] })];
    const cases = [thin, [whole.subarray(0, whole.length - 4096)], [Buffer.alloc(600, 'x')], []];
    const messages: string[] = [];
    for (const chunks of cases) {
      await using folder = await makeFolder();
      await readArchive(asStream(chunks), folder.path).catch((cause: Error) => messages.push(cause.message));
    }
    expect(messages).toMatchInlineSnapshot(`
      [
        "the saved image cannot be used: "blobs/sha256/d35021e37790b5faf0903fa07d5bc93bc643a96c7c4d0dfbcd8ceb6e9b7f9803" is not in it",
        "the saved image is not a readable tar archive: it ends in the middle",
        "the saved image is not a readable tar archive: a header has a wrong checksum",
        "the saved image cannot be used: "manifest.json" is not in it",
      ]
    `);
  });
});
