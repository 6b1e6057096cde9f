import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import type { ImageRecord } from '../../../src/actions/release/record.ts';
import { connectEngine, type Engine } from '../../../src/engine/engine.ts';
import { readOwner } from '../../../src/fs/process-owner.ts';
import { commitAll, copyOf, git, openCli } from '../cli/cli.ts';
import { endpointOf } from '../engines/endpoint-of.ts';
import { removeContainer, removeRepository, startContainer } from '../engines/engine-images.ts';
import { runScript } from '../engines/run-script.ts';
import { askUntilUp } from '../network/ask-until-up.ts';

/** Tests an image with its own Java runtime, made by the jlink of that JDK. */
export function describeJlink(jdk: string): void {
  const engine = inject('engineHost');
  const cli = openCli({ engine });
  const name = `e2e-jlink-${jdk}-${process.pid}`;
  const rootDir = join(cli.dir, 'first');
  let client: Engine;
  let first: ImageRecord;

  beforeAll(() => {
    client = connectEngine(endpointOf(engine), { owner: readOwner(), runId: `jlink-${process.pid}` });
    copyOf('examples/jvm-maven', rootDir, name);
    edit('gbuild.yml', 'jvm@21', `jvm@${jdk}`);
    edit('gbuild.yml', 'expose: [8080]', 'expose: [8080]\n  jre: { kind: jlink, modules: [jdk.zipfs] }');
  });
  afterAll(async () => {
    client.close();
    await removeRepository(engine, name);
    cli[Symbol.dispose]();
  });

  function edit(file: string, from: string, to: string): void {
    const text = readFileSync(join(rootDir, file), 'utf8');
    expect(text).toContain(from);
    writeFileSync(join(rootDir, file), text.replace(from, to));
  }

  const layersOf = ({ layers }: ImageRecord) =>
    Object.fromEntries(layers.map((layer) => [layer.name.replace('gbuild layer: ', ''), layer.diffId]));

  describe("an image with a Java runtime of jlink's", { timeout: 600_000 }, () => {
    test('answers on a base without Java, with the modules it needs and the roots of its base', async () => {
      const locked = await cli.run(['lock'], { cwd: rootDir });
      expect(locked.exitCode, locked.stderr).toBe(0);
      commitAll(rootDir, 'locked');
      const { exitCode, stdout, stderr } = await cli.run(['image', '--release', '1.0.1', '--json'], { cwd: rootDir });
      expect(exitCode, `${stdout}${stderr}`).toBe(0);
      first = JSON.parse(stdout) as ImageRecord;
      expect(Object.keys(layersOf(first))).toEqual(['jre', 'dependencies', 'application']);
      const { id, port } = await startContainer(engine, `${name}:1.0.1`, '8080/tcp');
      try {
        expect(await askUntilUp(`http://127.0.0.1:${port}/`)).toEqual({ hello: 'hello from the JVM', java: jdk });
      } finally {
        await removeContainer(engine, id);
      }
      const script = `java --list-modules | sed 's/@.*//'; command -v javac; ls /usr/lib/jvm; readlink -f /opt/java/lib/security/cacerts
test -s /etc/ssl/certs/java/cacerts && java -Xshare:on -version 2>&1 | grep -o sharing`;
      expect(await runScript(client, `${name}:1.0.1`, script)).toMatchInlineSnapshot(`
      "java.base
      java.compiler
      java.logging
      java.sql
      java.transaction.xa
      java.xml
      jdk.crypto.ec
      jdk.httpserver
      jdk.zipfs
      /etc/ssl/certs/java/cacerts
      sharing
      "
    `);
      const { size = 0 } = (await client.inspectImage(`${name}:1.0.1`)) ?? {};
      expect(size).toBeLessThan(150e6);
    });

    // Every layer except the changed one is made there again, and compared.
    test('has the same layers from another folder, time zone and locale but where the application changed', async () => {
      using other = openCli({ engine });
      edit('src/main/resources/greeting.txt', 'hello', 'hello again');
      commitAll(rootDir, 'changed');
      const clone = join(other.dir, 'another folder');
      git('/', 'clone', '-q', rootDir, clone);
      const env = { TZ: 'Pacific/Kiritimati', LANG: 'tr_TR.UTF-8', LC_ALL: 'tr_TR.UTF-8', CI: 'true' };
      const released = await other.run(['image', '--release', '1.0.2', '--json'], { cwd: clone, env });
      expect(released.exitCode, `${released.stdout}${released.stderr}`).toBe(0);
      const [before, after] = [layersOf(first), layersOf(JSON.parse(released.stdout) as ImageRecord)];
      expect(Object.keys(after)).toEqual(Object.keys(before));
      expect(Object.keys(after).filter((layer) => after[layer] === before[layer])).toEqual(['jre', 'dependencies']);
    });

    test('is refused where the JDK has no module of a name', async () => {
      edit('gbuild.yml', 'jdk.zipfs] }', 'jdk.none] }');
      edit('gbuild.yml', 'gbuild: 1\n', 'gbuild: 1\ntasks: { build: "true" }\n');
      const { exitCode, stderr } = await cli.run(['run', 'stage'], { cwd: rootDir });
      expect([exitCode, stderr]).toEqual([
        2,
        expect.stringContaining(
          'make-jre: this JDK has no module jdk.none, which image.jre.modules of gbuild.yml names\n',
        ),
      ]);
    });
  });
}
