import { writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import type { ImageRecord } from '../../../src/actions/release/record.ts';
import { type ComposeGeneration, ensureCompose } from '../deployers/docker-compose.ts';
import { askEngine } from '../engines/engine-http.ts';
import { findFreePort } from '../registry/registry.ts';
import { askService } from './ask-service.ts';
import { type DeliveryRig, openDelivery } from './delivery-rig.ts';

/** Has a docker-compose run what is delivered. */
export function describeCompose(generation: ComposeGeneration): void {
  describe(`docker-compose of ${generation}`, () => {
    let rig: DeliveryRig;
    let release: ImageRecord;
    let next: ImageRecord;
    let binDir: string;
    beforeAll(async () => {
      binDir = await ensureCompose(generation);
      rig = await openDelivery({ word: `compose-${generation}` });
      release = await rig.release('1.0.1');
      next = await rig.release('1.0.2');
    });
    afterAll(() => rig?.[Symbol.asyncDispose]());

    test('a repository that says nothing of deliveries delivers a compose file with the digest', async () => {
      const { exitCode, stdout, stderr } = await rig.deliver(['compose', '1.0.1']);
      expect([exitCode, rig.plain(stdout)], stderr).toMatchInlineSnapshot(`
    [
      0,
      "services:
      NAME:
        image: REGISTRY/acme/NAME@sha256:ID
        restart: unless-stopped
        ports:
          - 8080:8080
    ",
    ]
  `);
      expect((await rig.delivered(['compose', '1.0.1'])).imageId).toBe(release.imageId);
    });

    test('runs the whole file: the released image, the next one, and the former again', async () => {
      const port = await findFreePort();
      rig.describe(`  service:
    cpu: 0.5
    memory: 128m
    args: ["$a b", "100%"]
    env: {GREETING: "it's $5, \\"so\\"\\nand 1.10"}
    volumes: [{from: data, to: /data}, {from: /srv, to: /srv, readOnly: true}]
  targets:
    compose: {kind: compose, options: {publish: ${port}}}
`);
      const deliver = (version: string) =>
        rig.delivered(['compose', version, '--output', `out/${generation}`, '--check'], {
          env: { PATH: `${binDir}${delimiter}${process.env.PATH}` },
        });
      const { dir, checked } = await deliver('1.0.1');
      expect(checked).toEqual([{ program: 'docker-compose', ran: true }]);
      await using project = openProject(
        `gbuild-whole-${process.pid}`,
        binDir,
        [join(dir!, 'compose.yml')],
        rig.rootDir,
      );
      for (const [version, { imageId }] of [
        ['1.0.1', release],
        ['1.0.2', next],
        ['1.0.1', release],
      ] as const) {
        await deliver(version);
        await project.run('up', '--detach');
        const answer = await askService(`http://127.0.0.1:${port}/`, version);
        expect(answer).toEqual({ version, greeting: 'it\'s $5, "so"\nand 1.10', args: ['$a b', '100%'] });
        expect(await project.listRunning()).toEqual([imageId]);
      }
    });

    test('runs a file of the repository with the override', async () => {
      const port = await findFreePort();
      const own = `services:\n  web: {ports: ["${port}:8080"], environment: {GREETING: kept}}\n`;
      writeFileSync(join(rig.rootDir, 'compose.yml'), own);
      rig.describe('  targets:\n    own: {kind: compose, template: compose.yml, options: {service: web}}\n');
      const { dir } = await rig.delivered(['own', '1.0.2', '--output', `out/own-${generation}`]);
      const files = ['compose.yml', join(dir!, 'compose.override.yml')];
      await using project = openProject(`gbuild-own-${process.pid}`, binDir, files, rig.rootDir);
      await project.run('up', '--detach');
      expect((await askService(`http://127.0.0.1:${port}/`, '1.0.2')).greeting).toBe('kept');
      expect(await project.listRunning()).toEqual([next.imageId]);
    });
  });
}

/** Deployment of Docker Compose under one name. */
interface Project extends AsyncDisposable {
  run(...args: string[]): Promise<string>;
  /** Lists the image ids of its containers that run. */
  listRunning(): Promise<string[]>;
}

function openProject(name: string, binDir: string, files: string[], cwd: string): Project {
  const engine = inject('engineHost');
  const options = ['--project-name', name, ...files.flatMap((file) => ['--file', file])];
  const run = async (...args: string[]) => {
    const env = { DOCKER_HOST: engine };
    const { stdout } = await execa(join(binDir, 'docker-compose'), [...options, ...args], { env, cwd });
    return stdout;
  };
  return {
    run,
    listRunning: async () => {
      const filters = encodeURIComponent(JSON.stringify({ label: [`com.docker.compose.project=${name}`] }));
      const { text } = await askEngine(engine, 'GET', `/containers/json?filters=${filters}`);
      return (JSON.parse(text) as { ImageID: string }[]).map(({ ImageID }) => ImageID);
    },
    [Symbol.asyncDispose]: async () => {
      await run('down', '--volumes', '--rmi', 'all');
    },
  };
}
