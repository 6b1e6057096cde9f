import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { connectEngine, type Engine } from '../../src/engine/engine.ts';
import { readOwner } from '../../src/engine/owner.ts';
import { endpointOf } from '../support/endpoint-of.ts';
import { askEngine } from '../support/engine-http.ts';
import { removeVolume } from '../support/engine-left.ts';

const host = inject('engineHost');
const name = `gbuild-test-holder-${process.pid}`;
const label = `io.gbuild.test.holder-${process.pid}`;
const signal = new AbortController().signal;
let engine: Engine;
beforeAll(() => {
  engine = connectEngine(endpointOf(host), { owner: readOwner(), runId: `holder-${process.pid}` });
});
afterAll(async () => {
  for (const volume of [name, `${name}-2`]) await removeVolume(host, volume);
  engine.close();
});

const spec = { name, image: inject('baseImage'), labels: { container: { [label]: 'x' }, volume: { [label]: 'x' } } };
const owned = { uid: 4242, gid: 4243, mtime: 1_000_000_000 };
const textOf = (path: string, text: string) => {
  const header = { ...owned, path, type: 'file' as const, mode: 0o640, size: Buffer.byteLength(text) };
  return { header, content: { bytes: Buffer.from(text), size: header.size } };
};

async function listContainers(): Promise<string[]> {
  const filters = encodeURIComponent(JSON.stringify({ label: [label] }));
  const { text } = await askEngine(host, 'GET', `/containers/json?all=1&filters=${filters}`);
  return (JSON.parse(text) as { Names: string[] }[]).flatMap(({ Names }) => Names);
}

test('what is put into a volume is listed, given back and removed, and stays for the next holder', async () => {
  const { holder, paths } = await engine.claimVolume(spec, signal);
  expect(paths).toEqual([]);
  const folder = { ...owned, path: 'd', type: 'directory' as const, mode: 0o750, size: 0 };
  const link = { ...owned, path: 'd/-l', type: 'symlink' as const, mode: 0o777, size: 0, linkTarget: 'a b' };
  await holder.put([{ header: folder }, textOf('d/line\nbreak', 'text'), { header: link }, textOf('x', 'x')], signal);
  const listed = await holder.list(signal);
  expect(listed.map(({ path, kind, mode, size }) => [path, kind, mode, kind === 'file' ? size : 0]).sort()).toEqual([
    ['d', 'directory', 0o750, 0],
    ['d/-l', 'symlink', 0o777, 0],
    ['d/line\nbreak', 'file', 0o640, 4],
    ['x', 'file', 0o640, 1],
  ]);
  const print = (path: string) => listed.find((each) => each.path === path)?.print;
  expect((await holder.stat(['d/line\nbreak'], signal)).map((each) => each.print)).toEqual([print('d/line\nbreak')]);
  await holder.put([textOf('x', 'y')], signal);
  expect((await holder.stat(['x'], signal))[0]?.print).not.toBe(print('x'));
  const chunks: Buffer[] = [];
  for await (const chunk of holder.pack(['d/line\nbreak'], signal)) chunks.push(chunk);
  expect(Buffer.concat(chunks).includes('text')).toBe(true);
  await holder.remove(['d'], signal);
  await holder.close();
  const again = await engine.claimVolume(spec, signal);
  expect([again.holder.volume, again.paths.map(({ path }) => path)]).toEqual([name, ['x']]);
  await again.holder.close();
  expect(await listContainers()).toEqual([]);
});

test('a volume that a living run keeps is left to it, also when both ask at once', async () => {
  const claimed = await Promise.all([engine.claimVolume(spec, signal), engine.claimVolume(spec, signal)]);
  expect(claimed.map(({ holder }) => holder.volume).sort()).toEqual([name, `${name}-2`]);
  await Promise.all(claimed.map(({ holder }) => holder.close()));
  expect(await listContainers()).toEqual([]);
});

test('what a dead run left on a volume is removed before it is looked at, its holder and its tasks', async () => {
  const dead = connectEngine(endpointOf(host), {
    owner: { ...readOwner(), pid: 2 ** 22 - 1, start: '1' },
    runId: 'dead',
  });
  const left = await dead.claimVolume(spec, signal);
  const json = {
    Image: spec.image,
    Cmd: ['sh', '-c', 'while :; do date >/w/busy; done'],
    Labels: { ...dead.labels, [label]: 'task' },
    HostConfig: { Mounts: [{ Type: 'volume', Source: name, Target: '/w' }] },
  };
  const { Id } = JSON.parse((await askEngine(host, 'POST', '/containers/create', { json })).text) as { Id: string };
  await askEngine(host, 'POST', `/containers/${Id}/start`);
  const { holder } = await engine.claimVolume(spec, signal);
  expect([holder.volume, await listContainers()]).toEqual([name, [`/${name}`]]);
  await holder.close();
  await left.holder.close().catch(() => {});
  dead.close();
});

test('an image that is not there is named, and nothing stays', async () => {
  const bare = { ...spec, image: 'gbuild-test/none:none' };
  await expect(engine.claimVolume(bare, signal)).rejects.toMatchObject({ code: 'image-missing' });
  expect(await listContainers()).toEqual([]);
});
