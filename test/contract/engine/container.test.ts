import { chmodSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { bareContainer, type ContainerSpec, connectEngine, type Engine } from '../../../src/engine/engine.ts';
import { GbuildError } from '../../../src/errors.ts';
import { readOwner } from '../../../src/fs/process-owner.ts';
import { endpointOf } from '../../support/engines/endpoint-of.ts';
import { collectOutput, neverStop, startStop } from '../../support/engines/run-io.ts';

const runId = `container-${process.pid}`;
const volume = `gbuild-test-${process.pid}`;
const workspace = mkdtempSync(join(tmpdir(), 'gbuild-container-'));
let engine: Engine;

beforeAll(() => {
  engine = connectEngine(endpointOf(inject('engineHost')), { owner: readOwner(), runId });
  chmodSync(workspace, 0o777);
});
afterAll(async () => {
  await engine.volumes.remove(volume);
  engine.close();
  rmSync(workspace, { recursive: true, force: true });
});

const directory = (path: string, uid: number) => ({ path, type: 'directory' as const, mode: 0o755, uid, gid: uid });
const specOf = (script: string, more: Partial<ContainerSpec> = {}): ContainerSpec => ({
  ...bareContainer(inject('baseImage'), ['sh', '-c', script]),
  user: '4242:4242',
  env: { HOME: '/home/gbuild' },
  workdir: '/workspace',
  mounts: [{ type: 'bind', hostDir: workspace, containerDir: '/workspace' }],
  ...more,
});
const run = async (spec: ContainerSpec) => {
  const output = collectOutput();
  const result = await engine.runContainer(spec, { onOutput: output.take, stop: neverStop() });
  return { ...result, ...output.read() };
};

test('the caller has a name and a home of its own, and what it writes is its own', async () => {
  const passwd = 'root:x:0:0:root:/root:/bin/sh\ngbuild:x:4242:4242::/home/gbuild:/bin/sh\n';
  const files: ContainerSpec['files'] = [
    directory('/home/gbuild', 4242),
    { path: '/etc/passwd', type: 'file', mode: 0o644, uid: 0, gid: 0, content: Buffer.from(passwd) },
  ];
  const { stdout } = await run(
    specOf('id -un; echo $HOME; touch $HOME/mine out; stat -c "%U %a" $HOME; hostname', { files }),
  );
  expect(stdout).toBe('gbuild\n/home/gbuild\ngbuild 755\ngbuild\n');
  const { uid, gid } = statSync(join(workspace, 'out'));
  expect([uid, gid]).toEqual([4242, 4242]);
});

test('ids beyond the field of a plain tar header arrive', async () => {
  const files = [directory('/home/gbuild', 3_000_000)];
  expect((await run(specOf('stat -c %u:%g /home/gbuild', { files, user: '3000000:3000000' }))).stdout).toBe(
    '3000000:3000000\n',
  );
});

const secretsMount = { type: 'tmpfs', containerDir: '/run/secrets', size: 1 << 20 } as const;
const withSecrets = (more: Partial<ContainerSpec> = {}): Partial<ContainerSpec> => ({
  mounts: [{ type: 'bind', hostDir: workspace, containerDir: '/workspace' }, secretsMount],
  entrypoint: [''],
  secrets: [
    { path: '/run/secrets/TOKEN', value: Buffer.from('no line end') },
    { path: '/run/secrets/BYTES', value: Buffer.from(Array.from({ length: 70_000 }, (_, i) => i % 256)) },
  ],
  ...more,
});

test('secrets are there, whole, before the command starts, for its user alone; its input is its own', async () => {
  const script = 'stat -c "%U:%u %a %s" /run/secrets/*; cat /run/secrets/TOKEN; md5sum < /run/secrets/BYTES; cat';
  const output = collectOutput();
  const stdin = Readable.from([Buffer.from('typed\n')]);
  const spec = specOf(script, withSecrets({ stdin: true, files: [], limits: { pids: 50 } }));
  const { exitCode } = await engine.runContainer(spec, { onOutput: output.take, stop: neverStop(), stdin });
  expect([exitCode, output.read()]).toMatchInlineSnapshot(`
    [
      0,
      {
        "stderr": "",
        "stdout": "UNKNOWN:4242 400 70000
    UNKNOWN:4242 400 11
    no line endbd6270ad16e95c85d32f9a518e1f76e7  -
    typed
    ",
      },
    ]
  `);
});

test('a command that ends as soon as it has its secrets has its own exit code', async () => {
  const codes = await Promise.all(Array.from({ length: 6 }, () => run(specOf('exit 7', withSecrets()))));
  expect(codes.map(({ exitCode }) => exitCode)).toEqual([7, 7, 7, 7, 7, 7]);
});

test('a secret that cannot be written ends the run, and so does a stop', async () => {
  const { stop, askWith } = startStop();
  const spec = withSecrets({ secrets: [{ path: '/run/secrets/LARGE', value: Buffer.alloc(2 << 20, 'x') }] });
  await expect(run(specOf('echo started', spec))).rejects.toMatchObject({
    code: 'engine-failed',
    message: 'the secret /run/secrets/LARGE could not be written in the container: exit code 1',
  });
  const work = engine.runContainer(specOf('sleep 60', withSecrets()), { onOutput: () => {}, stop });
  setTimeout(() => askWith(new GbuildError('interrupted', 'SIGINT', { exitCode: 130 })), 400);
  await expect(work).rejects.toMatchObject({ code: 'interrupted' });
});

test('a cache volume belongs to the caller and keeps its content for the next run', async () => {
  const mounts: ContainerSpec['mounts'] = [
    { type: 'volume', name: volume, containerDir: '/cache/npm', labels: { 'io.gbuild.test': '1' } },
  ];
  const more = { mounts, files: [directory('/cache/npm', 4242)], workdir: '/' };
  expect((await run(specOf('stat -c %u /cache/npm; echo kept > /cache/npm/file', more))).stdout).toBe('4242\n');
  expect((await run(specOf('cat /cache/npm/file', more))).stdout).toBe('kept\n');
  expect((await engine.volumes.list('io.gbuild.test=1')).map(({ name }) => name)).toContain(volume);
});

test('capabilities are dropped and privileges cannot be gained', async () => {
  const { stdout } = await run(specOf('grep -E "^(CapEff|CapBnd|NoNewPrivs)" /proc/self/status', { user: '0:0' }));
  expect(stdout.replaceAll('\t', ' ')).toBe('CapEff: 0000000000000000\nCapBnd: 0000000000000000\nNoNewPrivs: 1\n');
});

test('a command that takes more than its memory is killed and the result says why', async () => {
  const result = await run(specOf('tail /dev/zero', { limits: { memory: 32 << 20 } }));
  expect([result.exitCode, result.oomKilled]).toEqual([137, true]);
});

test('a terminal is a terminal, of the given size', async () => {
  const output = collectOutput();
  const terminal = { columns: 91, rows: 17, onResize() {} };
  const spec = specOf('test -t 1 && while [ "$(stty size)" != "17 91" ]; do sleep 0.05; done; stty size', {
    tty: true,
    stdin: true,
  });
  await engine.runContainer(spec, { onOutput: output.take, terminal, stop: neverStop() });
  expect(output.read().stdout).toBe('17 91\r\n');
});

test('a container that does not listen is killed when its grace is over', async () => {
  const { stop, askWith } = startStop();
  const onOutput = () => askWith(new GbuildError('timed-out', 'the task took longer than 1 s'));
  const work = engine.runContainer(specOf('trap "" TERM; echo ready; sleep 3600', { graceSeconds: 1 }), {
    onOutput,
    stop,
  });
  await expect(work).rejects.toMatchObject({ message: 'the task took longer than 1 s', exitCode: 4 });
});

test('a file that cannot be executed answers 126', async () => {
  writeFileSync(join(workspace, 'plain'), 'no program', { mode: 0o644 });
  expect((await run({ ...specOf(''), command: ['/workspace/plain'] })).exitCode).toBe(126);
});
