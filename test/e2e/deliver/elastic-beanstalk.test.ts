import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { unzipSync } from 'fflate';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { askService } from '../../support/deliver/ask-service.ts';
import { type DeliveryRig, openDelivery } from '../../support/deliver/delivery-rig.ts';
import { askEngine } from '../../support/engines/engine-http.ts';
import { removeContainer, removeRepository, startContainer } from '../../support/engines/engine-images.ts';

const engine = inject('engineHost');
const built = `e2e-beanstalk-${process.pid}`;
let rig: DeliveryRig;

beforeAll(async () => {
  rig = await openDelivery({ word: 'beanstalk' });
  rig.describe(`  service:
    health: /health
    args: ['--name', 'a b', "it's $HOME"]
    env: {GREETING: 'it''s "5 $" é'}
`);
  await rig.release('1.0.1');
});
afterAll(async () => {
  await removeRepository(engine, built);
  await rig[Symbol.asyncDispose]();
});

/** Builds the source bundle as the platform does, and reads what its image stands on. */
async function buildBundle(zip: string): Promise<{ files: string[]; layers: string[] }> {
  const dir = join(rig.cli.dir, 'bundle');
  const files = unzipSync(readFileSync(zip));
  for (const [path, bytes] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, path)), { recursive: true });
    writeFileSync(join(dir, path), bytes);
  }
  await execa('docker', ['-H', engine, 'build', '-q', '-t', `${built}:1`, dir], { env: { DOCKER_BUILDKIT: '0' } });
  return { files: Object.keys(files).sort(), layers: await readLayers(`${built}:1`) };
}

async function readLayers(reference: string): Promise<string[]> {
  const { text } = await askEngine(engine, 'GET', `/images/${reference}/json`);
  return (JSON.parse(text) as { RootFS: { Layers: string[] } }).RootFS.Layers;
}

test('the bundle starts from the digest, and what runs is the release with the words of the service', async () => {
  const dir = join(rig.cli.dir, 'out');
  const { files, imageId } = await rig.delivered(['elastic-beanstalk', '1.0.1', '--output', dir]);
  const bundle = await buildBundle(join(dir, files[0]!.path));
  expect(bundle.files).toEqual(['.ebextensions/00-gbuild.config', 'Dockerfile']);
  const released = await readLayers(imageId);
  expect(bundle.layers).toEqual(released);
  const { id, port } = await startContainer(engine, `${built}:1`, '8080/tcp');
  try {
    expect(await askService(`http://127.0.0.1:${port}/`, '1.0.1')).toEqual({
      version: '1.0.1',
      greeting: 'it\'s "5 $" é',
      args: ['--name', 'a b', "it's $HOME"],
    });
  } finally {
    await removeContainer(engine, id);
  }
});

test('the same release gives the same bytes', async () => {
  const deliver = async (to: string) =>
    (await rig.delivered(['elastic-beanstalk', '1.0.1', '--output', join(rig.cli.dir, to)])).files;
  expect(await deliver('again')).toEqual(await deliver('out'));
});
