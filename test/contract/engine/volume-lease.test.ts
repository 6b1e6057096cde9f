import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { connectEngine, type Engine, type ListedPath } from '../../../src/engine/engine.ts';
import { readOwner } from '../../../src/fs/process-owner.ts';
import { readTar } from '../../../src/oci/tar/untar.ts';
import { changeTree } from '../../../src/sync/tree/changed-tree.ts';
import type { Tree } from '../../../src/sync/tree/tree.ts';
import { endpointOf } from '../../support/engines/endpoint-of.ts';
import { askEngine } from '../../support/engines/engine-http.ts';
import { removeVolume } from '../../support/engines/engine-left.ts';

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

/** A volume of its own that is gone afterwards. */
async function claimOwn(other: { image?: string } = {}) {
  const lease = await engine.volumes.claim({ ...spec, ...other, name: `${name}-own` }, signal);
  return {
    lease,
    [Symbol.asyncDispose]: async () => {
      await lease.close();
      await removeVolume(host, lease.volume);
    },
  };
}

async function listContainers(): Promise<string[]> {
  const filters = encodeURIComponent(JSON.stringify({ label: [label] }));
  const { text } = await askEngine(host, 'GET', `/containers/json?all=1&filters=${filters}`);
  return (JSON.parse(text) as { Names: string[] }[]).flatMap(({ Names }) => Names);
}

const ways = [
  ['by the engine', { many: false }],
  ['by tar', { many: true }],
] as const;

test.each(ways)(
  'what is put into a volume %s is listed, given back and removed, and stays for the next holder',
  async (_, way) => {
    const lease = await engine.volumes.claim(spec, signal);
    await lease.remove(['x'], signal);
    expect(await lease.list(signal)).toEqual([]);
    const folder = { ...owned, path: 'd', type: 'directory' as const, mode: 0o750, size: 0 };
    const link = { ...owned, path: 'd/-l', type: 'symlink' as const, mode: 0o777, size: 0, linkTarget: 'a b' };
    await lease.put(
      [{ header: folder }, textOf('d/line\nbreak', 'text'), { header: link }, textOf('x', 'x')],
      signal,
      way,
    );
    const listed = await lease.list(signal);
    expect(listed.map(({ path, kind, mode, size }) => [path, kind, mode, kind === 'file' ? size : 0]).sort()).toEqual([
      ['d', 'directory', 0o750, 0],
      ['d/-l', 'symlink', 0o777, 0],
      ['d/line\nbreak', 'file', 0o640, 4],
      ['x', 'file', 0o640, 1],
    ]);
    expect((await lease.listBelow(['d'], signal)).map(({ path }) => path).sort()).toEqual(['d/-l', 'd/line\nbreak']);
    const fingerprint = (path: string, paths: ListedPath[]) => paths.find((each) => each.path === path)?.fingerprint;
    await lease.put([textOf('x', 'y')], signal, way);
    expect(fingerprint('x', await lease.list(signal))).not.toBe(fingerprint('x', listed));
    const chunks: Buffer[] = [];
    for await (const chunk of lease.pack(['d/line\nbreak'], signal)) chunks.push(chunk);
    expect(Buffer.concat(chunks).includes('text')).toBe(true);
    await lease.remove(['d'], signal);
    await lease.close();
    const again = await engine.volumes.claim(spec, signal);
    expect([again.volume, (await again.list(signal)).map(({ path }) => path)]).toEqual([name, ['x']]);
    await again.close();
    expect(await listContainers()).toEqual([]);
  },
);

test('what is put there is the same in both ways: owner, mode, times, links, over what stood there', async () => {
  const long = `d/${'long '.repeat(40)}`;
  const exact = { records: { mtime: Buffer.from('1000000000.123456') } };
  const items = [
    { header: { ...owned, path: '', type: 'directory' as const, mode: 0o755, size: 0 } },
    { header: { ...owned, path: 'd', type: 'directory' as const, mode: 0o500, size: 0 } },
    textOf(long, 'long'),
    { header: { ...owned, path: 'd/link', type: 'symlink' as const, mode: 0o777, size: 0, linkTarget: '/etc/../é' } },
    { ...textOf('exact', 'exact'), header: { ...textOf('exact', 'exact').header, ...exact, mtime: 4_000_000_000 } },
    textOf('stood', 'new'),
  ];
  const paths = ['.', 'd', long, 'd/link', 'exact', 'stood'];
  const before = [textOf('stood', 'before, and longer'), textOf('d/link', 'a file')];
  const seen: unknown[] = [];
  for (const [, way] of ways) {
    await using own = await claimOwn();
    const { lease } = own;
    await lease.put([items[1]!, ...before], signal);
    await lease.put(items, signal, way);
    const entries = [];
    for await (const { header, content } of readTar(lease.pack(paths, signal), 'the volume')) {
      const text: Uint8Array[] = [];
      for await (const chunk of content) text.push(chunk);
      entries.push([header, Buffer.concat(text).toString()]);
    }
    expect(entries.length).toBe(paths.length);
    seen.push(entries);
  }
  expect(seen[1]).toEqual(seen[0]);
});

test('what fails is told, whichever way it goes: what the items throw, and what cannot be put there', async () => {
  await using own = await claimOwn();
  const { lease } = own;
  const below = [textOf('file', 'text'), textOf('file/below', 'text')];
  for (const [name, way] of ways) {
    const cut = new Error(`read no further ${name}`);
    function* breaking() {
      for (let at = 0; at < 5000; at += 1) yield textOf(`f${at}`, 'x'.repeat(1000));
      throw cut;
    }
    await expect(lease.put(breaking(), signal, way)).rejects.toBe(cut);
    await expect(lease.put(below, signal, way)).rejects.toMatchObject({ code: 'engine-failed' });
  }
  await expect(lease.put(below, signal, { many: true })).rejects.toThrow(
    'could not receive the workspace: sh ended with exit code 2: tar: workspace/file/below: Cannot open: Not a directory',
  );
});

test('an image without tar is told, and what it needs', async () => {
  const image = `gbuild-test/no-tar-${process.pid}:latest`;
  const json = { Image: spec.image, Cmd: ['sh', '-c', 'rm "$(command -v tar)"'], Labels: { [label]: 'no-tar' } };
  const { Id } = JSON.parse((await askEngine(host, 'POST', '/containers/create', { json })).text) as { Id: string };
  await askEngine(host, 'POST', `/containers/${Id}/start`);
  await askEngine(host, 'POST', `/containers/${Id}/wait`);
  await askEngine(host, 'POST', `/commit?container=${Id}&repo=${image.replace(':', '&tag=')}`);
  await askEngine(host, 'DELETE', `/containers/${Id}?force=1`);
  try {
    await using own = await claimOwn({ image });
    await expect(own.lease.put([textOf('x', 'x')], signal, { many: true })).rejects.toMatchObject({
      message: expect.stringMatching(/could not receive the workspace: sh ended with exit code 127: .*tar: not found$/),
      suggestions: ['see that the image to build in has sh, GNU find, tar, xargs and rm'],
    });
  } finally {
    await askEngine(host, 'DELETE', `/images/${image}`);
  }
});

test('a volume bears a stamp until something is put there, for the next holder too, which need not run to see it', async () => {
  const marker = '1234567890123456789';
  const lease = await engine.volumes.claim(spec, signal);
  await lease.writeCleanMarker(marker, signal);
  await lease.close();
  const next = await engine.volumes.claim(spec, signal);
  const borne = await next.readCleanMarker(signal);
  await next.put([{ header: { ...owned, path: '', type: 'directory' as const, mode: 0o755, size: 0 } }], signal);
  expect([borne, await next.readCleanMarker(signal)]).toEqual([marker, `${owned.mtime}000000000`]);
  await next.close();
  expect(await listContainers()).toEqual([]);
});

test('of what tasks change each thing is told, whatever they do to its times, and little besides', async () => {
  const lease = await engine.volumes.claim(spec, signal);
  const folder = (path: string) => ({ header: { ...owned, path, type: 'directory' as const, mode: 0o755, size: 0 } });
  const tree = ['a', 'a/old', 'b', 'b/old', 'c', 'd', 'still', 'still/in'].map(folder);
  const names = ['a/f', 'a/old/x', 'b/f', 'b/old/x', 'c/gone', 'd/f', 'e', 'link', 'still/f', 'still/in/f', 'touched'];
  await lease.put([folder(''), ...tree, ...names.map((path) => textOf(path, path))], signal);
  // What is older than the margin is not told of.
  await sleep(5_000);
  await lease.put([textOf('sent', 'sent'), textOf('sent-and-edited', 'one')], signal);
  const script = `mv a swap; mv b a; mv swap b; rm c/gone; rm -r d; echo f >d; touch -d @1000000000 touched; ln link hard
    cp -p e e2; mv e2 e; mkdir new; mv still/in new/in; printf two >sent-and-edited; touch -d @1000000000 sent-and-edited`;
  const before = await lease.list(signal);
  const json = {
    Image: spec.image,
    Cmd: ['sh', '-ec', `cd /w; ${script}`],
    Labels: { [label]: 'task' },
    HostConfig: { Mounts: [{ Type: 'volume', Source: name, Target: '/w' }] },
  };
  const { Id } = JSON.parse((await askEngine(host, 'POST', '/containers/create', { json })).text) as { Id: string };
  await askEngine(host, 'POST', `/containers/${Id}/start`);
  expect((await askEngine(host, 'POST', `/containers/${Id}/wait`)).text).toContain('"StatusCode":0');
  await askEngine(host, 'DELETE', `/containers/${Id}?force=1`);
  const { newer, below, sent } = (await lease.listChanged(signal))!;
  expect(newer.map(({ path }) => path)).not.toContain('still/f');
  const remote: Tree = new Map(before.map((each) => [each.path, each]));
  const { unseen } = changeTree(remote, { newer, below, sent }, ['sent', 'sent-and-edited'])!;
  expect(unseen.sort()).toEqual(['a/old', 'b/old']);
  for (const each of await lease.listBelow(unseen, signal)) remote.set(each.path, each);
  const whole = new Map((await lease.list(signal)).map((each) => [each.path, each] as const));
  expect([...remote].sort()).toEqual([...whole].sort());
  const isNewer = (path: string) => Number(whole.get(path)?.facts.split(' ')[3]) > sent;
  expect(['sent', 'sent-and-edited'].map(isNewer)).toEqual([false, true]);
  await lease.remove(
    ['a', 'b', 'c', 'd', 'e', 'hard', 'link', 'new', 'sent', 'sent-and-edited', 'still', 'touched'],
    signal,
  );
  await lease.close();
});

test('a volume that was only looked at does not tell what changed', async () => {
  const lease = await engine.volumes.claim(spec, signal);
  expect(await lease.listChanged(signal)).toBeUndefined();
  await lease.close();
});

test('a volume that a living run keeps is left to it, also when both ask at once', async () => {
  const claimed = await Promise.all([engine.volumes.claim(spec, signal), engine.volumes.claim(spec, signal)]);
  expect(claimed.map(({ volume }) => volume).sort()).toEqual([name, `${name}-2`]);
  await Promise.all(claimed.map((lease) => lease.close()));
  expect(await listContainers()).toEqual([]);
});

test.each(['only made', 'running'])(
  'what a dead run left on a volume goes first: a task, and its holder, %s',
  async (state) => {
    const dead = connectEngine(endpointOf(host), {
      owner: { ...readOwner(), pid: 2 ** 22 - 1, start: '1' },
      runId: 'dead',
    });
    const left = await dead.volumes.claim(spec, signal);
    if (state === 'running') await left.list(signal);
    const json = {
      Image: spec.image,
      Cmd: ['sh', '-c', 'while :; do date >/w/busy; done'],
      Labels: { ...dead.labels, [label]: 'task' },
      HostConfig: { Mounts: [{ Type: 'volume', Source: name, Target: '/w' }] },
    };
    const { Id } = JSON.parse((await askEngine(host, 'POST', '/containers/create', { json })).text) as { Id: string };
    await askEngine(host, 'POST', `/containers/${Id}/start`);
    const lease = await engine.volumes.claim(spec, signal);
    expect([lease.volume, await listContainers()]).toEqual([name, [`/${name}`]]);
    await lease.close();
    await left.close().catch(() => {});
    dead.close();
  },
);

test('an image that is not there is named, and nothing stays', async () => {
  const bare = { ...spec, image: 'gbuild-test/none:none' };
  await expect(engine.volumes.claim(bare, signal)).rejects.toMatchObject({ code: 'image-missing' });
  expect(await listContainers()).toEqual([]);
});
