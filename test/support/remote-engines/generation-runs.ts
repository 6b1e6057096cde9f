import { chmodSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import type { ImageRecord } from '../../../src/actions/release/record.ts';
import { commitAll, openCli } from '../cli/cli.ts';
import { type EngineContainer, startEngineContainer } from '../engines/engine-container.ts';
import type { GenerationName } from '../engines/engine-generations.ts';
import { addressOf } from '../engines/engine-http.ts';
import { inspectImage, removeRepository, runImage } from '../engines/engine-images.ts';
import { ownHost } from '../engines/test-engine.ts';
import { ensureTestImage, removeTestImage, smallImage } from '../images/base-image.ts';

/**
 * Tests the CLI on engines of these generations, each next to the tests' own: tasks, and releases that are the same
 * image.
 */
export function describeRuns(engines: GenerationName[]): void {
  const outer = inject('engineHost');
  const base = smallImage;
  const cli = openCli({ toolchain: base });
  const name = `e2e-generations-${process.pid}`;
  const cwd = cli.tasks(
    name,
    `resources: {memory: 256m}\nimage:\n  base: ${base}\n  cmd: [cat, /app/out/greeting]\n  layers: [{name: outputs, from: out}]\n` +
      "tasks:\n  test: test -f words.txt && echo tested\n  build: 'mkdir -p out && cp words.txt out/greeting'\n",
    { 'words.txt': 'hello from anywhere\n', '.gitignore': 'out/\n' },
  );
  let first: ImageRecord;
  let imported: boolean;

  const gbuild = (host: string, ...args: string[]) => cli.run(args, { cwd, env: { DOCKER_HOST: host } });
  const release = async (host: string): Promise<ImageRecord> => {
    const { exitCode, stdout, stderr } = await gbuild(host, 'image', '--release', '1.0.0', '--json');
    expect(exitCode, stderr).toBe(0);
    return JSON.parse(stdout) as ImageRecord;
  };

  beforeAll(async () => {
    // The rootless engine belongs to another user.
    chmodSync(cwd, 0o777);
    imported = await ensureTestImage(outer, base);
    const locked = await gbuild(outer, 'lock');
    expect(locked.exitCode, locked.stderr).toBe(0);
    commitAll(cwd, 'locked');
    first = await release(outer);
  });
  afterAll(async () => {
    await removeRepository(outer, name);
    if (imported && outer !== ownHost) await removeTestImage(outer, base);
    cli[Symbol.dispose]();
  });

  describe.each(engines)('on %s', (generation) => {
    let engine: EngineContainer;
    beforeAll(async () => {
      engine = await startEngineContainer(outer, [cli.dir], generation, base);
      await copyImage(base, outer, engine.host);
      // Another machine's store would be empty: the image must be made and loaded here, not only named.
      rmSync(`${cli.dataDir}`, { recursive: true, force: true });
      rmSync(`${cwd}/out`, { recursive: true, force: true });
    });
    afterAll(() => engine?.[Symbol.asyncDispose]());

    test('a task runs', async () => {
      const { exitCode, stdout, stderr } = await gbuild(engine.host, 'test');
      expect([exitCode, stdout], stderr).toEqual([0, 'tested\n']);
      const ignored = stderr.match(/^warning: resources\.memory of gbuild\.yml will not be enforced: .*$/gm) ?? [];
      expect(ignored.length, stderr).toBe(generation === 'podman 5.4, rootless' ? 1 : 0);
    });

    test('a release of the same commit is the same image, bears its name, and runs', async () => {
      const record = await release(engine.host);
      expect([record.imageId, record.manifestDigest]).toEqual([first.imageId, first.manifestDigest]);
      expect([first.imageId, first.manifestDigest]).toContain((await inspectImage(engine.host, `${name}:1.0.0`))?.Id);
      expect(await runImage(engine.host, `${name}:1.0.0`)).toBe('hello from anywhere\n');
      // With the folder out, the release would use a checkout, where the rootless engine's user may not write.
      rmSync(`${cwd}/out`, { recursive: true, force: true });
      expect((await release(engine.host)).imageId).toBe(first.imageId);
    });
  });
}

/** Copies from `docker save` of one engine to `docker load` of another. */
async function copyImage(image: string, from: string, to: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const get = request({ ...addressOf(from), path: `/images/${image}/get` }, (saved) => {
      const headers = { 'Content-Type': 'application/x-tar' };
      const post = request({ ...addressOf(to), method: 'POST', path: '/images/load?quiet=1', headers }, (answer) => {
        answer.resume().on('end', resolve);
      });
      post.on('error', reject);
      saved.pipe(post);
    });
    get.on('error', reject).end();
  });
}
