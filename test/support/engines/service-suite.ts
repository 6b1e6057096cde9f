import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { awaitReady } from '../../../src/actions/run/services/readiness.ts';
import { bareContainer, type ContainerSpec, connectEngine, type Engine } from '../../../src/engine/engine.ts';
import type { ServiceContainer } from '../../../src/engine/service/service-container.ts';
import { readOwner } from '../../../src/fs/process-owner.ts';
import { endpointOf } from './endpoint-of.ts';
import { askEngine } from './engine-http.ts';
import type { Subject } from './engine-suite.ts';
import { loneOwner } from './lone-owner.ts';
import { collectOutput, neverStop } from './run-io.ts';

const never = new AbortController().signal;

/** Tests services next to tasks, on every engine with networks; the image has busybox. */
export function describeServices(name: string, open: () => Promise<Pick<Subject, 'host' | 'image'>>): void {
  describe(name, () => {
    const runId = `suite-${process.pid}-${Math.random().toString(36).slice(2, 8)}`;
    const network = `gbuild-${runId}`;
    let engine: Engine;
    let host: string;
    let image: string;
    let web: ServiceContainer;
    const specOf = (script: string, more: Partial<ContainerSpec> = {}): ContainerSpec => ({
      ...bareContainer(image, ['sh', '-c', script]),
      network,
      capAdd: ['DAC_OVERRIDE'],
      ...more,
    });
    const listNetworks = async () => {
      const filters = encodeURIComponent(JSON.stringify({ label: [`io.gbuild.run=${runId}`] }));
      return JSON.parse((await askEngine(host, 'GET', `/networks?filters=${filters}`)).text) as unknown[];
    };

    beforeAll(async () => {
      ({ host, image } = await open());
      engine = connectEngine(endpointOf(host), { owner: readOwner(), runId });
      await engine.services.openNetwork(network);
      const { kind } = await engine.info();
      const log = kind === 'podman' ? 'json-file' : 'local';
      const script =
        'mkdir /w; echo hello >/w/index.html; echo out; echo err >&2; sleep 1; exec httpd -f -p 8080 -h /w';
      web = await engine.services.start(specOf(script, { alias: 'web', log }), never);
    });
    afterAll(() => {
      engine?.close();
    });

    test('is ready when a port takes connections, which is told from outside of it', async () => {
      const said: string[] = [];
      const check = { kind: 'port', port: 8080 } as const;
      await awaitReady({ engine, container: web, image, labels: {} }, check, (why) => said.push(why), never);
      expect(said).toEqual(['nothing listens on its port 8080']);
      expect(await web.whyNot(['wget', '-qO-', 'http://127.0.0.1:8080/'], never)).toBeUndefined();
      expect(await web.whyNot(['sh', '-c', 'echo not yet >&2; exit 9'], never)).toContain('exit code 9: not yet');
      expect(await web.whyNot(['no-such-command'], never)).toEqual(expect.any(String));
    });

    test('is found by its name, by who is on the network', async () => {
      const output = collectOutput();
      const io = { onOutput: output.take, stop: neverStop() };
      const { exitCode } = await engine.runContainer(specOf('wget -qO- http://web:8080/'), io);
      expect([exitCode, output.read()]).toEqual([0, { stdout: 'hello\n', stderr: '' }]);
    });

    test('tells what it printed and that it has ended, and is gone with its network', async () => {
      const ended = web.waitForEnd(never);
      expect(await web.readEnd()).toBeUndefined();
      await web.stop(1, never);
      expect([await ended, await web.readEnd()]).toEqual([expect.any(Number), expect.any(Number)]);
      const said = { stdout: '', stderr: '' };
      for await (const { stream, data } of web.readLog()) said[stream] += data.toString();
      expect(said).toEqual({ stdout: 'out\n', stderr: 'err\n' });
      await web.remove();
      await engine.services.removeNetwork(network);
      expect(await listNetworks()).toEqual([]);
    });

    test('is swept with its network when its run is dead', async () => {
      const owners = loneOwner();
      const dead = connectEngine(endpointOf(host), { owner: owners.dead, runId });
      await dead.services.openNetwork(network);
      const { id } = await dead.services.start(specOf('sleep 600', { alias: 'web' }), never);
      dead.close();
      const living = connectEngine(endpointOf(host), { owner: owners.living, runId });
      const { containers, networks } = await living.sweep();
      living.close();
      expect([containers.includes(id), networks.includes(network)]).toEqual([true, true]);
      expect(await listNetworks()).toEqual([]);
    });
  });
}
