import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import type { ImageRecord } from '../../../src/actions/release/record.ts';
import { removeContainer, removeRepository, startContainer } from '../engines/engine-images.ts';
import { askUntilUp } from '../network/ask-until-up.ts';
import { commitAll, copyOf, git, openCli } from './cli.ts';

/** Example of this checkout, with the results of its builds. */
export interface Example {
  path: string;
  /** Output of its own tests when they pass. */
  passes: string;
  answer: object;
  /** File of the application, and a change to it that keeps its dependencies. */
  edit: [file: string, from: string, to: string];
  /** Layers that such a change must not touch. */
  lasting: string[];
}

export const nodePnpm: Example = {
  path: 'examples/node-pnpm',
  passes: 'pass 1',
  answer: { hello: 'pnpm', up: expect.any(String) },
  edit: ['packages/greeting/src/greeting.js', "hello: 'pnpm'", "hello: 'again'"],
  lasting: ['dependencies'],
};

export const jvmMaven: Example = {
  path: 'examples/jvm-maven',
  passes: 'Tests run: 2, Failures: 0',
  answer: { hello: 'hello from the JVM', java: '21' },
  edit: ['src/main/java/example/Greeting.java', 'Map.of("hello"', 'Map.of("again"'],
  lasting: ['dependencies'],
};

export const sbtHello: Example = {
  path: 'examples/sbt-hello',
  passes: 'Passed: Total 2',
  answer: { hello: 'hello from Scala', scala: '3' },
  edit: ['src/main/scala/Server.scala', '"hello" -> text', '"again" -> text'],
  // The layer of snapshots holds the jar of the build itself, the layer of the application its start script.
  lasting: ['dependencies', 'application'],
};

export const rubyRack: Example = {
  path: 'examples/ruby-rack',
  passes: '2 examples, 0 failures',
  answer: { hello: 'world', ruby: expect.stringMatching(/^3\.1\./) },
  edit: ['lib/greeting.rb', 'hello: name', 'again: name'],
  lasting: [],
};

/** Tests and releases an example; with `again` twice more: from another folder, and with another application. */
export function describeExample({ path, passes, answer, edit, lasting }: Example, { again }: { again: boolean }): void {
  const engine = inject('engineHost');

  describe(path, { timeout: 600_000 }, () => {
    const name = `e2e-${path.replace('examples/', '')}-${process.pid}`;
    const cli = openCli({ engine });
    const rootDir = join(cli.dir, 'first');
    let record: ImageRecord;

    beforeAll(() => void copyOf(path, rootDir, name));
    afterAll(async () => {
      await removeRepository(engine, name);
      cli[Symbol.dispose]();
    });

    test('is tested in its own toolchain, which is locked', async () => {
      const { exitCode, stdout, stderr } = await cli.run(['test'], { cwd: rootDir });
      expect([exitCode, stdout], stderr).toEqual([0, expect.stringContaining(passes)]);
      expect(git(rootDir, 'status', '--porcelain')).toBe('?? gbuild.lock');
      commitAll(rootDir, 'locked');
    });

    test('is released without a network, which it needs no more, as an image that answers', async () => {
      writeFileSync(join(rootDir, 'gbuild.yml'), `${readFileSync(join(rootDir, 'gbuild.yml'), 'utf8')}network: none\n`);
      commitAll(rootDir, 'without a network');
      const { exitCode, stdout, stderr } = await cli.run(['image', '--release', '1.0.1', '--json'], { cwd: rootDir });
      expect(exitCode, `${stdout}${stderr}`).toBe(0);
      record = JSON.parse(stdout) as ImageRecord;
      const { id, port } = await startContainer(engine, `${name}:1.0.1`, '8080/tcp');
      try {
        expect(await askUntilUp(`http://127.0.0.1:${port}/`)).toEqual(answer);
      } finally {
        await removeContainer(engine, id);
      }
    });

    if (!again) return;

    test('is the same image from another folder, time zone and locale, and is tested there without a network', async () => {
      using other = openCli({ engine });
      const clone = join(other.dir, 'another folder');
      git('/', 'clone', '-q', rootDir, clone);
      const env = { TZ: 'Pacific/Kiritimati', LANG: 'tr_TR.UTF-8', LC_ALL: 'tr_TR.UTF-8', CI: 'true' };
      const released = await other.run(['image', '--release', '1.0.1', '--json'], { cwd: clone, env });
      expect(released.exitCode, `${released.stdout}${released.stderr}`).toBe(0);
      expect((JSON.parse(released.stdout) as ImageRecord).imageId).toBe(record.imageId);
      git(clone, 'clean', '-qxfd');
      const offline = await other.run(['test'], { cwd: clone });
      expect([offline.exitCode, offline.stdout], offline.stderr).toEqual([0, expect.stringContaining(passes)]);
    });

    test('has other layers for another application, and the same for what it depends on', async () => {
      const [file, from, to] = edit;
      const text = readFileSync(join(rootDir, file), 'utf8');
      expect(text).toContain(from);
      writeFileSync(join(rootDir, file), text.replace(from, to));
      commitAll(rootDir, 'changed');
      const { exitCode, stdout, stderr } = await cli.run(['image', '--release', '1.0.2', '--json'], { cwd: rootDir });
      expect(exitCode, `${stdout}${stderr}`).toBe(0);
      const digests = ({ layers }: ImageRecord) =>
        Object.fromEntries(layers.map((layer) => [layer.name.replace('gbuild layer: ', ''), layer.diffId]));
      const [before, after] = [digests(record), digests(JSON.parse(stdout) as ImageRecord)];
      expect(Object.keys(after)).toEqual(Object.keys(before));
      expect(Object.keys(after).filter((layer) => after[layer] === before[layer])).toEqual(lasting);
    });
  });
}
