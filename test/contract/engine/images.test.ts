import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { type BuildEvent, connectEngine, type Engine } from '../../../src/engine/engine.ts';
import { BuildStepError } from '../../../src/engine/image/build.ts';
import { GbuildError } from '../../../src/errors.ts';
import { readOwner } from '../../../src/fs/process-owner.ts';
import { digestOf } from '../../../src/oci/digest.ts';
import { endpointOf } from '../../support/engines/endpoint-of.ts';
import { neverStop, startStop } from '../../support/engines/run-io.ts';
import { tarOf } from '../../support/images/tar-of.ts';

const name = `gbuild-test/images-${process.pid}`;
let engine: Engine;

beforeAll(() => {
  engine = connectEngine(endpointOf(inject('engineHost')), { owner: readOwner(), runId: `images-${process.pid}` });
});
afterAll(async () => {
  const images = await engine.listImages({ reference: `${name}:*` });
  for (const tag of images.flatMap(({ tags }) => tags)) await engine.removeImage(tag);
  engine.close();
});

const build = (dockerfile: string, more: { tags?: string[]; onProgress?: (event: BuildEvent) => void } = {}) =>
  engine.buildImage({
    context: [tarOf({ Dockerfile: dockerfile.replace('BASE', inject('baseImage')), plain: 'x' })],
    tags: [],
    args: { WORD: 'given' },
    labels: { 'io.gbuild.test': 'images' },
    stop: neverStop(),
    ...more,
  });

test('an archive without the layers that the engine has loads, and its id is the one computed before', async () => {
  const base = (await engine.inspectImage(inject('baseImage')))!;
  const layer = tarOf({ 'app/file': 'hello' });
  const diffId = digestOf(layer);
  const config = JSON.stringify({
    architecture: base.architecture,
    os: 'linux',
    config: {},
    rootfs: { type: 'layers', diff_ids: [...base.diffIds, diffId] },
    history: [],
  });
  const configDigest = digestOf(Buffer.from(config));
  const blob = (digest: string) => `blobs/sha256/${digest.slice('sha256:'.length)}`;
  const manifest = [
    { Config: blob(configDigest), RepoTags: [`${name}:thin`], Layers: [...base.diffIds, diffId].map(blob) },
  ];
  const archive = tarOf({
    [blob(configDigest)]: config,
    [blob(diffId)]: layer,
    'manifest.json': JSON.stringify(manifest),
  });
  await engine.loadArchive([archive], { stop: neverStop() });
  const loaded = await engine.inspectImage(`${name}:thin`);
  expect([loaded?.id, loaded?.diffIds]).toEqual([configDigest, [...base.diffIds, diffId]]);
});

test('an archive that makes no sense is the engine’s failure', async () => {
  const manifest = JSON.stringify([{ Config: 'none.json', RepoTags: [`${name}:bad`], Layers: [] }]);
  const failure = engine.loadArchive([tarOf({ 'manifest.json': manifest })], { stop: neverStop() });
  await expect(failure).rejects.toMatchObject({
    code: 'engine-failed',
    message: expect.stringContaining('could not load the image'),
  });
});

test('a saved image is an archive that loads again', async () => {
  await build('FROM BASE\nLABEL a=b\n', { tags: [`${name}:saved`] });
  const id = (await engine.inspectImage(`${name}:saved`))?.id;
  const chunks: Buffer[] = [];
  for await (const chunk of await engine.saveImage(`${name}:saved`)) chunks.push(chunk as Buffer);
  await engine.removeImage(`${name}:saved`);
  expect(await engine.inspectImage(`${name}:saved`)).toBeUndefined();
  await engine.loadArchive(chunks, { stop: neverStop() });
  expect((await engine.inspectImage(`${name}:saved`))?.id).toBe(id);
});

test('a build shows its steps and their lines and gives the id', async () => {
  const events: BuildEvent[] = [];
  const dockerfile = `FROM BASE\nARG WORD\nRUN echo "word is $WORD" && echo ${process.pid}\nCOPY plain /x\n`;
  const id = await build(dockerfile, { tags: [`${name}:steps`], onProgress: (event) => events.push(event) });
  expect((await engine.inspectImage(`${name}:steps`))?.id).toBe(id);
  const run = events.find((event) => event.kind === 'step' && event.name.includes('RUN echo'));
  const ofRun = events.filter((event) => event.id === run?.id);
  expect(ofRun.map((event) => (event.kind === 'log' ? event.line : event.state))).toEqual([
    'started',
    'word is given',
    String(process.pid),
    'done',
  ]);
});

test('the second build of the same finds its steps in the cache', async () => {
  const dockerfile = `FROM BASE\nRUN echo again ${process.pid}\n`;
  const states: string[] = [];
  const onProgress = (event: BuildEvent) => {
    if (event.kind === 'step' && event.name.includes('RUN')) states.push(event.state);
  };
  const first = await build(dockerfile, { tags: [`${name}:cached`] });
  expect([await build(dockerfile, { tags: [`${name}:cached`], onProgress }), states]).toEqual([
    first,
    ['started', 'cached'],
  ]);
});

test('a step that fails is named with its last lines', async () => {
  const failure = await build('FROM BASE\nRUN for i in $(seq 1 30); do echo line $i; done; exit 7\n').catch(
    (thrown: unknown) => thrown,
  );
  expect(failure).toBeInstanceOf(BuildStepError);
  const { code, message, facts } = failure as BuildStepError;
  expect(code).toBe('engine-failed');
  expect(facts).toMatchObject({
    step: expect.stringContaining('RUN for i in'),
    log: Array.from({ length: 20 }, (_, index) => `line ${index + 11}`),
  });
  expect(message).toContain('\n  line 30');
});

test('a Dockerfile that is none is the engine’s failure', async () => {
  await expect(build('NONSENSE\n')).rejects.toMatchObject({ code: 'engine-failed' });
});

test('a build that is asked to stop stops with the reason', async () => {
  const { stop, askWith } = startStop();
  const onProgress = (event: BuildEvent) => {
    if (event.kind === 'log' && event.line === 'up')
      askWith(new GbuildError('interrupted', 'SIGINT', { exitCode: 130 }));
  };
  const dockerfile = `FROM ${inject('baseImage')}\nRUN echo up; sleep 600; echo ${process.pid}\n`;
  const work = engine.buildImage({
    context: [tarOf({ Dockerfile: dockerfile })],
    tags: [],
    args: {},
    labels: {},
    onProgress,
    stop,
  });
  await expect(work).rejects.toMatchObject({ message: 'SIGINT', exitCode: 130 });
});

test('tags come and go without touching the image they name', async () => {
  await engine.tagImage(inject('baseImage'), `${name}:one`);
  await engine.tagImage(inject('baseImage'), `${name}:two`);
  await engine.removeImage(`${name}:one`);
  await engine.removeImage(`${name}:one`);
  expect(await engine.inspectImage(`${name}:one`)).toBeUndefined();
  expect((await engine.inspectImage(`${name}:two`))?.id).toBe((await engine.inspectImage(inject('baseImage')))?.id);
  await expect(engine.tagImage(`${name}:none`, `${name}:three`)).rejects.toMatchObject({ code: 'image-missing' });
});

test('an image that cannot be pulled is no success', async () => {
  const failure = engine.pullImage('127.0.0.1:1/gbuild-test/nothing:1', { stop: neverStop() });
  await expect(failure).rejects.toMatchObject({ exitCode: 3 });
});
