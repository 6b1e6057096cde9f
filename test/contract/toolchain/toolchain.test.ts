import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { connectEngine, type Engine } from '../../../src/engine/engine.ts';
import { GbuildError } from '../../../src/errors.ts';
import { readOwner } from '../../../src/fs/process-owner.ts';
import { ensureRuntime, ensureToolchain } from '../../../src/toolchain/build/ensure.ts';
import { readCatalog } from '../../../src/toolchain/catalog/catalog.ts';
import { readToolchainFolder } from '../../../src/toolchain/catalog/folder.ts';
import { resolveToolchain } from '../../../src/toolchain/resolve/resolve.ts';
import { errorOf } from '../../support/assert/error-of.ts';
import { endpointOf } from '../../support/engines/endpoint-of.ts';
import { startStop } from '../../support/engines/run-io.ts';
import { runScript } from '../../support/engines/run-script.ts';
import { hostIn, neverStop, recordProgress } from '../../support/toolchains/host-in.ts';
import { images, listStaging, TestCatalogs } from '../../support/toolchains/toolchain-catalog.ts';

const catalogs = new TestCatalogs(inject('baseImage'));
const { nonce } = catalogs;
const cacheDir = join(catalogs.hostDir, 'cache');
let engine: Engine;

const openRim = (stop = neverStop()) => ({ engine, host: hostIn(cacheDir), progress: recordProgress(), stop });

beforeAll(() => {
  engine = connectEngine(endpointOf(inject('engineHost')), { owner: readOwner(), runId: `toolchain-${process.pid}` });
});
afterAll(async () => {
  await catalogs.remove(engine);
  engine.close();
});

test('a toolchain that is not there is built, one that is there is only looked up', async () => {
  const resolved = await catalogs.resolveTiny('tiny-once', `echo ${nonce} > /made`);
  const [first, again] = [openRim(), openRim()];
  const one = await ensureToolchain(resolved, { ...first, role: 'build' });
  const two = await ensureToolchain(resolved, { ...again, role: 'build' });
  expect(first.progress.titles).toEqual(['building tiny-once 1.0.0']);
  expect(again.progress.titles).toEqual([]);
  expect(two).toEqual(one);
  const base = await engine.inspectImage(inject('baseImage'));
  expect(one.locked).toEqual({ build: one.build.id, base: base?.id, source: inject('baseImage') });
  expect(await runScript(engine, one.build.reference, 'cat /made')).toBe(`${nonce}\n`);
});

test('two who want the same at once build it once, and one process does not wait for itself aloud', async () => {
  const resolved = await catalogs.resolveTiny('tiny-two', `echo ${nonce}; sleep 2`);
  const [left, right] = [openRim(), openRim()];
  const both = await Promise.all(
    [left, right].map((context) => ensureToolchain(resolved, { ...context, role: 'build' })),
  );
  expect(both[0]?.build).toEqual(both[1]?.build);
  expect([...left.progress.titles, ...right.progress.titles]).toEqual(['building tiny-two 1.0.0']);
  expect([...left.progress.notes, ...right.progress.notes]).toEqual([]);
});

test('who waits for another process says for which', async () => {
  const name = 'tiny-other';
  const resolved = await catalogs.resolveTiny(
    name,
    `echo begun-${nonce}; sleep 3 # not the step of another test, which would be cached`,
  );
  const child = await startBuilding(name);
  const closed = once(child, 'close');
  const context = openRim();
  await ensureToolchain(resolved, { ...context, role: 'build' });
  await closed;
  expect(context.progress.titles).toEqual([]);
  expect(context.progress.notes).toEqual([`waiting for process ${child.pid}, which is making ${resolved.build}`]);
});

test('one stopped in the middle ends with the reason and leaves nothing under its name', async () => {
  const resolved = await catalogs.resolveTiny('tiny-stop', `echo begun-${nonce}; sleep 20; touch /made`);
  const { stop, askWith } = startStop();
  const context = openRim(stop);
  const work = errorOf(() => ensureToolchain(resolved, { ...context, role: 'build' }));
  while (!context.progress.lines.includes(`begun-${nonce}`)) await sleep(50);
  askWith(new GbuildError('interrupted', 'stopped by the test'));
  expect(await work).toEqual({ code: 'interrupted', message: 'stopped by the test', suggestions: [] });
  expect(await engine.inspectImage(resolved.build)).toBeUndefined();
  expect(await listStaging(engine)).toEqual([]);
  expect(readdirSync(join(cacheDir, 'locks'))).toEqual([]);
});

test("a killed builder's lock does not stop the next one", async () => {
  const name = 'tiny-killed';
  const resolved = await catalogs.resolveTiny(name, `echo begun-${nonce}; sleep 3`);
  const child = await startBuilding(name);
  child.kill('SIGKILL');
  await once(child, 'close');
  expect(readdirSync(join(cacheDir, 'locks'))).toHaveLength(2);
  const { build } = await ensureToolchain(resolved, { ...openRim(), role: 'build' });
  expect((await engine.inspectImage(build.reference))?.id).toBe(build.id);
});

test('a Dockerfile that fails is told with its step and last lines', async () => {
  const resolved = await catalogs.resolveTiny('tiny-fail', `echo the last words ${nonce}; exit 3`);
  const error = await errorOf(() => ensureToolchain(resolved, { ...openRim(), role: 'build' }));
  expect(error.message).toContain(`\n  the last words ${nonce}`);
  expect(error.message).toContain('exit code: 3');
  expect(await engine.inspectImage(resolved.build)).toBeUndefined();
});

test('what only this host trusts reaches a RUN step and no layer', async () => {
  const script = `/run/gbuild/with-trust sh -c "echo \\"bundle \\$NODE_EXTRA_CA_CERTS ${nonce}\\"; grep -c BEGIN /run/gbuild/trust.pem"`;
  const resolved = await catalogs.resolveTiny('tiny-trust', script);
  const pem = `-----BEGIN CERTIFICATE-----\n${Buffer.from(nonce).toString('base64')}\n-----END CERTIFICATE-----\n`;
  const file = join(catalogs.hostDir, 'own.pem');
  writeFileSync(file, pem);
  const context = openRim();
  const host = hostIn(cacheDir, { NODE_EXTRA_CA_CERTS: file });
  const { build } = await ensureToolchain(resolved, { ...context, host, role: 'build' });
  expect(context.progress.lines).toContain(`bundle /run/gbuild/trust.pem ${nonce}`);
  expect(await runScript(engine, build.reference, 'ls -A /run/gbuild 2>&1 || true')).not.toContain('trust');
});

test('a folder of the repository is a toolchain, with a runtime where its Dockerfile names one', async () => {
  const rootDir = join(catalogs.hostDir, 'repository');
  mkdirSync(join(rootDir, 'tools'), { recursive: true });
  const dockerfile = `FROM ${inject('baseImage')} AS build\nCOPY said /said\nFROM build AS runtime\nUSER 7:7\n`;
  writeFileSync(join(rootDir, 'tools/Dockerfile'), dockerfile);
  writeFileSync(join(rootDir, 'tools/said'), nonce);
  const request = { kind: 'folder', request: './tools', path: './tools' } as const;
  const folder = readToolchainFolder(rootDir, './tools');
  const resolved = catalogs.remember(resolveToolchain(request, await readCatalog([images]), { folder }));
  const { build, runtime } = await ensureToolchain(resolved, { ...openRim(), role: 'both' });
  expect(await runScript(engine, build.reference, 'cat /said')).toBe(nonce);
  expect((await engine.inspectImage(runtime?.reference ?? ''))?.config.User).toBe('7:7');
});

test('an image is taken as it is, and one that cannot be had is told', async () => {
  const resolve = async (reference: string) =>
    resolveToolchain({ kind: 'image', request: reference, reference }, await readCatalog([images]));
  const { build, runtime } = await ensureToolchain(await resolve(inject('baseImage')), { ...openRim(), role: 'both' });
  expect(runtime).toEqual(build);
  const missing = await resolve('127.0.0.1:1/gbuild-test/nothing:1');
  expect((await errorOf(() => ensureRuntime(missing, openRim()))).code).toBe('network-failed');
});

/** Another process that makes the toolchain, once its Dockerfile's step has begun. */
async function startBuilding(name: string) {
  const child = spawn(process.execPath, [join(images, '../test/support/toolchains/ensure-child.ts')], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const catalogDir = join(catalogs.hostDir, 'catalogs', name);
  child.stdin.end(JSON.stringify({ engineHost: inject('engineHost'), cacheDir, catalogDir, name }));
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  while (!said.includes(`\nbegun-${nonce}`) && child.exitCode === null) await sleep(50);
  return child;
}
