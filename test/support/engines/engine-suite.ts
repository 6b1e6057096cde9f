import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { ContainerIO, ContainerResult, ContainerSpec, Endpoint, Engine } from '../../../src/engine/engine.ts';
import { bareContainer, connectEngine } from '../../../src/engine/engine.ts';
import { GbuildError } from '../../../src/errors.ts';
import { ownerText, readOwner } from '../../../src/fs/process-owner.ts';
import { endpointOf } from './endpoint-of.ts';
import { askEngine } from './engine-http.ts';
import { loneOwner } from './lone-owner.ts';
import { collectOutput, neverStop, startStop } from './run-io.ts';

/** Engine under test. */
export interface Subject extends AsyncDisposable {
  /** Address by which the test asks it without gbuild's client. */
  host: string;
  /** Endpoint for gbuild's client, where it differs. */
  endpoint?: Endpoint;
  image: string;
  /** Exit code for a command that does not exist, where it is not a shell's 127: podman's init returns 1. */
  missingCommand?: number;
  /** Whether it is rootless on a machine without cgroups for it. */
  ignoresLimits?: boolean;
  /**
   * Whether its store keeps layers as they came, and compresses imported ones: a thin image then needs its base from
   * gbuild's load.
   */
  isCompressed?: boolean;
}

/** Tests what every engine must do for gbuild, the fake and the real ones alike. */
export function describeEngine(name: string, open: () => Promise<Subject>): void {
  describe(name, () => {
    const runId = `suite-${process.pid}-${Math.random().toString(36).slice(2, 8)}`;
    const workspace = mkdtempSync(join(tmpdir(), 'gbuild-suite-'));
    let subject: Subject;
    let engine: Engine;

    const specOf = (command: string[], more: Partial<ContainerSpec> = {}): ContainerSpec => ({
      ...bareContainer(subject.image, command),
      user: '1000:1000',
      env: { PATH: '/usr/bin:/bin' },
      workdir: '/workspace',
      mounts: [{ type: 'bind', hostDir: workspace, containerDir: '/workspace' }],
      limits: { pids: 256 },
      probe: { hostDir: workspace, containerDir: '/workspace' },
      graceSeconds: 5,
      ...more,
    });
    const sh = (script: string, more: Partial<ContainerSpec> = {}) => specOf(['sh', '-c', script], more);
    const run = async (spec: ContainerSpec, more: Partial<ContainerIO> = {}) => {
      const output = collectOutput();
      const result: ContainerResult = await engine.runContainer(spec, {
        onOutput: output.take,
        stop: neverStop(),
        ...more,
      });
      return { ...result, ...output.read() };
    };
    const failureOf = async (work: Promise<unknown>): Promise<GbuildError> => {
      const thrown = await work.then(
        () => undefined,
        (reason: unknown) => reason,
      );
      if (thrown instanceof GbuildError) return thrown;
      throw new Error('expected a GbuildError', { cause: thrown });
    };

    beforeAll(async () => {
      subject = await open();
      engine = connectEngine(subject.endpoint ?? endpointOf(subject.host), { owner: readOwner(), runId });
      chmodSync(workspace, 0o755);
      writeFileSync(join(workspace, 'hello.txt'), 'hello\n');
    });
    afterEach(async () => {
      const filters = encodeURIComponent(JSON.stringify({ label: [`io.gbuild.run=${runId}`] }));
      const { text } = await askEngine(subject.host, 'GET', `/containers/json?all=1&filters=${filters}`);
      expect(JSON.parse(text), 'containers left behind').toEqual([]);
    });
    afterAll(async () => {
      engine?.close();
      await subject?.[Symbol.asyncDispose]();
      rmSync(workspace, { recursive: true, force: true });
    });

    test('says what it is and which API is spoken', async () => {
      const { ignoresLimits = false } = subject;
      const kind = expect.stringMatching(/^(docker|podman)$/);
      const platform = expect.stringMatching(/^linux\//);
      expect(await engine.info()).toMatchObject({ kind, platform, ignoresLimits, rootless: ignoresLimits });
      expect((await engine.info()).apiVersion).toMatch(/^1\.\d+$/);
    });

    test('knows an image by its reference and no image by a wrong one', async () => {
      expect((await engine.inspectImage(subject.image))?.id).toMatch(/^sha256:[0-9a-f]{64}$/);
      expect(await engine.inspectImage('gbuild-test/no-such-image:1')).toBeUndefined();
    });

    test.each([0, 1, 42, 255])("gives back the command's own exit code %i", async (code) => {
      expect((await run(sh(`exit ${code}`))).exitCode).toBe(code);
    });

    test('keeps the two output streams apart and the order within each', async () => {
      const { stdout, stderr } = await run(sh('for i in 1 2 3; do echo out $i; echo err $i >&2; done; printf tail'));
      expect({ stdout, stderr }).toEqual({ stdout: 'out 1\nout 2\nout 3\ntail', stderr: 'err 1\nerr 2\nerr 3\n' });
    });

    test('hands over 200,000 lines without losing one', async () => {
      const { stdout } = await run(sh('seq 1 200000'));
      const lines = stdout.split('\n');
      expect([lines.length, lines[0], lines[199_999]]).toEqual([200_001, '1', '200000']);
    });

    test('holds the output back while the caller is busy with the last piece', async () => {
      let busy = 0;
      let most = 0;
      let bytes = 0;
      const onOutput = async (_: string, chunk: Buffer) => {
        most = Math.max(most, ++busy);
        await new Promise((resolve) => setImmediate(resolve));
        bytes += chunk.length;
        busy -= 1;
      };
      await run(sh('seq 1 100000'), { onOutput });
      expect([most, bytes]).toEqual([1, 588_895]);
    });

    test('ends with the failure of a caller who cannot take output', async () => {
      const onOutput = async () => Promise.reject(new GbuildError('usage', 'the log is full'));
      expect((await failureOf(run(sh('echo x; sleep 600'), { onOutput }))).message).toBe('the log is full');
    });

    test('works in the workspace of the caller', async () => {
      expect((await run(sh('cat hello.txt'))).stdout).toBe('hello\n');
    });

    test('puts files into the container before it starts', async () => {
      const files: ContainerSpec['files'] = [
        { path: '/home/gbuild', type: 'directory', mode: 0o755, uid: 1000, gid: 1000 },
        {
          path: '/home/gbuild/note',
          type: 'file',
          mode: 0o644,
          uid: 1000,
          gid: 1000,
          content: Buffer.from('a note\n'),
        },
      ];
      expect((await run(sh('cat /home/gbuild/note', { files }))).stdout).toBe('a note\n');
    });

    test('passes standard input on, and its end', async () => {
      const { Readable } = await import('node:stream');
      const stdin = Readable.from([Buffer.from('one\n'), Buffer.from('two\n')]);
      expect((await run(sh('cat; echo end', { stdin: true }), { stdin })).stdout).toBe('one\ntwo\nend\n');
    });

    test('ends where standard input cannot be read, and says so', async () => {
      const { Readable } = await import('node:stream');
      const stdin = new Readable({ read: () => void stdin.destroy(new Error('EBADF: bad file descriptor, read')) });
      const failure = await failureOf(run(sh('cat; sleep 600', { stdin: true }), { stdin }));
      expect([failure.code, failure.message]).toEqual([
        'usage',
        'standard input cannot be read (EBADF: bad file descriptor, read)',
      ]);
    });

    test('says image-missing for an image that is not there', async () => {
      const failure = await failureOf(run(specOf(['true'], { image: 'gbuild-test/no-such-image:1' })));
      expect([failure.code, failure.message]).toEqual([
        'image-missing',
        `the engine at ${engine.endpoint.url} has no image gbuild-test/no-such-image:1`,
      ]);
    });

    test('answers 127 for a command that does not exist', async () => {
      expect((await run(specOf(['no-such-command']))).exitCode).toBe(subject.missingCommand ?? 127);
    });

    test('refuses a host folder that the engine does not have', async () => {
      const hostDir = join(workspace, 'gone');
      const mounts: ContainerSpec['mounts'] = [{ type: 'bind', hostDir, containerDir: '/workspace' }];
      const { probe: _, ...spec } = specOf(['true'], { mounts });
      const failure = await failureOf(run(spec));
      expect(failure).toMatchObject({ code: 'engine-blind', hostDir, facts: { hostDir } });
    });

    test('asks the container to stop and throws the reason when it has ended', async () => {
      const { stop, askWith } = startStop();
      const output = collectOutput();
      const onOutput: ContainerIO['onOutput'] = (stream, chunk) => {
        output.take(stream, chunk);
        if (output.read().stdout.includes('ready'))
          askWith(new GbuildError('interrupted', 'SIGINT', { exitCode: 130 }));
      };
      const script = 'trap "echo asked; exit 9" TERM; echo ready; while :; do sleep 0.1; done';
      const failure = await failureOf(run(sh(script), { onOutput, stop }));
      expect([failure.message, failure.exitCode, output.read().stdout]).toEqual(['SIGINT', 130, 'ready\nasked\n']);
    });

    test('kills a container that does not listen when asked twice', async () => {
      const { stop, askWith, killWith } = startStop();
      const output = collectOutput();
      const onOutput: ContainerIO['onOutput'] = (stream, chunk) => {
        output.take(stream, chunk);
        askWith(new GbuildError('interrupted', 'first'));
        killWith(new GbuildError('interrupted', 'second'));
      };
      const spec = sh('trap "" TERM; echo ready; while :; do sleep 0.1; done', { graceSeconds: 3600 });
      expect((await failureOf(run(spec, { onOutput, stop }))).message).toBe('second');
    });

    test('creates nothing when it was asked to stop before', async () => {
      const { stop, askWith } = startStop();
      askWith(new GbuildError('timed-out', 'the time is over'));
      expect((await failureOf(run(specOf(['true']), { stop }))).exitCode).toBe(4);
    });

    test('ends with the main process though a child lives on and holds the output open', async () => {
      expect((await run(sh('(sleep 30; echo late) & echo main; exit 5'))).exitCode).toBe(5);
    });

    test('publishes a port, and says where before the first output', async () => {
      const { stop, killWith } = startStop();
      const events: unknown[] = [];
      const failure = await failureOf(
        run(sh('echo ready; sleep 600', { network: 'bridge', ports: [{ port: 8080, protocol: 'tcp' }] }), {
          stop,
          onPublished: (ports) => void events.push(...ports),
          onOutput: (_, chunk) => {
            events.push(chunk.toString());
            killWith(new GbuildError('interrupted', 'seen'));
          },
        }),
      );
      const at = { port: 8080, protocol: 'tcp', enginePort: expect.any(Number) };
      expect([failure.message, events]).toEqual(['seen', [at, 'ready\n']]);
    });

    test('names the port of the engine that is taken', async () => {
      const { stop, killWith } = startStop();
      const spec = (enginePort?: number) =>
        sh('echo ready; sleep 600', {
          network: 'bridge',
          ports: [{ port: 8080, protocol: 'tcp', address: '127.0.0.1', ...(enginePort && { enginePort }) }],
        });
      let second: GbuildError | undefined;
      let taken = 0;
      const onPublished: ContainerIO['onPublished'] = async ([first]) => {
        taken = first!.enginePort;
        second = await failureOf(run(spec(taken)));
        killWith(new GbuildError('interrupted', 'seen'));
      };
      expect((await failureOf(run(spec(), { stop, onPublished }))).message).toBe('seen');
      expect(second).toMatchObject({ code: 'port-refused', facts: { enginePort: taken } });
      expect(second?.suggestions[0]).toBe(`publish 8080 instead of ${taken}:8080   # the engine chooses a free one`);
    });

    test('sweeps what a dead owner left and nothing of a living or foreign one', async () => {
      const { living, dead } = loneOwner();
      const owners = { dead, foreign: { ...dead, host: 'elsewhere-000000000000' }, living };
      const sweeper = connectEngine(engine.endpoint, { owner: living, runId });
      const ids: Record<string, string> = {};
      for (const [kind, owner] of Object.entries(owners)) {
        const Labels = { 'io.gbuild.run': `${runId}-${kind}`, 'io.gbuild.owner': ownerText(owner) };
        const json = { Image: subject.image, Cmd: ['true'], Labels };
        ids[kind] = (
          JSON.parse((await askEngine(subject.host, 'POST', '/containers/create', { json })).text) as { Id: string }
        ).Id;
      }
      try {
        const { containers } = await sweeper.sweep();
        expect(containers).toEqual([ids.dead]);
        expect((await sweeper.removeRun(`${runId}-living`)).containers).toEqual([ids.living]);
      } finally {
        sweeper.close();
        for (const id of Object.values(ids)) await askEngine(subject.host, 'DELETE', `/containers/${id}?force=1`);
      }
    });

    test('throws what the chunks of an archive throw', async () => {
      function* chunks(): Generator<Buffer> {
        yield Buffer.alloc(1 << 20);
        throw new GbuildError('workspace-changed', 'a file changed while it was read');
      }
      const failure = await failureOf(engine.loadArchive(chunks(), { stop: neverStop() }));
      expect(failure.message).toBe('a file changed while it was read');
    });
  });
}
