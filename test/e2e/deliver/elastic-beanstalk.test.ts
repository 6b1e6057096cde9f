import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { unzipSync } from 'fflate';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import type { ImageRecord } from '../../../src/actions/release/record.ts';
import { askService } from '../../support/deliver/ask-service.ts';
import { type DeliveryRig, openDelivery } from '../../support/deliver/delivery-rig.ts';
import { runLocally } from '../../support/deployers/eb-local.ts';
import { askEngine } from '../../support/engines/engine-http.ts';
import { findFreePort } from '../../support/registry/registry.ts';

const greeting = `it's "5 $HOME" \\ é`;

let rig: DeliveryRig;
let released: ImageRecord;
const engine = inject('engineHost');

beforeAll(async () => {
  rig = await openDelivery({ word: 'eb' });
  rig.describe(`  service:
    health: /health
    args: ['--name', 'a "b"', '$HOME']
    env: {GREETING: ${JSON.stringify(greeting)}}
  targets:
    named: {kind: elastic-beanstalk, options: {form: dockerrun}}
`);
  released = await rig.release('1.0.1');
});
afterAll(() => rig[Symbol.asyncDispose]());

/** Delivers, and unpacks the bundle. */
async function unpack(target: string): Promise<{ dir: string; bytes: Buffer; paths: string[] }> {
  const dir = join(rig.cli.dir, target);
  const { files, imageId } = await rig.delivered([target, '1.0.1', '--output', dir]);
  expect(imageId).toBe(released.imageId);
  const bytes = readFileSync(join(dir, files[0]!.path));
  const entries = unzipSync(bytes);
  for (const [path, content] of Object.entries(entries)) {
    const file = join(dir, 'bundle', path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content);
  }
  return { dir: join(dir, 'bundle'), bytes, paths: Object.keys(entries) };
}

interface Inspected {
  RootFS: { Layers: string[] };
  Config: { Entrypoint: string[]; Labels: object };
}

async function inspect<T>(path: string): Promise<T> {
  return JSON.parse((await askEngine(engine, 'GET', path)).text) as T;
}

/** Runs a bundle until it answers. Returns the answer, and the image that runs. */
async function run(dir: string): Promise<{ answer: unknown; image: Inspected }> {
  const port = await findFreePort();
  await using eb = await runLocally(dir, engine, port);
  const up = askService(`http://127.0.0.1:${port}/`, '1.0.1');
  const answer = await Promise.race([up, eb.ended.then(() => Promise.reject(new Error(eb.output())))]);
  const list = await inspect<{ Id: string; ImageID: string; Ports: { PublicPort?: number }[] }[]>('/containers/json');
  const { Id, ImageID } = list.find(({ Ports }) => Ports.some(({ PublicPort }) => PublicPort === port))!;
  try {
    return { answer, image: await inspect<Inspected>(`/images/${ImageID}/json`) };
  } finally {
    await askEngine(engine, 'DELETE', `/containers/${Id}?force=1&v=1`);
    await askEngine(engine, 'DELETE', `/images/${ImageID}?force=1`);
  }
}

test('eb builds and runs the bundle: the layers, the entrypoint and the labels of the release, and what the service says', async () => {
  const { dir, bytes, paths } = await unpack('elastic-beanstalk');
  expect(paths).toEqual(['.ebextensions/00-gbuild.config', 'Dockerfile']);
  expect((await unpack('elastic-beanstalk')).bytes.equals(bytes)).toBe(true);
  const { answer, image } = await run(dir);
  expect(answer).toEqual({ version: '1.0.1', greeting, args: ['--name', 'a "b"', '$HOME'] });
  const own = await inspect<Inspected>(`/images/${released.imageId}/json`);
  expect(image.RootFS.Layers.slice(0, own.RootFS.Layers.length)).toEqual(own.RootFS.Layers);
  expect(image.Config.Entrypoint).toEqual(own.Config.Entrypoint);
  expect(image.Config.Labels).toEqual(own.Config.Labels);
});

test('a bundle that names the image runs the same layers', async () => {
  rig.describe('  targets:\n    named: {kind: elastic-beanstalk, options: {form: dockerrun}}\n');
  const { answer, image } = await run((await unpack('named')).dir);
  expect(answer).toMatchObject({ version: '1.0.1', args: [] });
  const own = await inspect<Inspected>(`/images/${released.imageId}/json`);
  expect(image.RootFS.Layers).toEqual(own.RootFS.Layers);
});
