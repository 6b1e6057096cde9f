import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import type { ImageRecord } from '../../../src/actions/release/record.ts';
import { connectEngine } from '../../../src/engine/engine.ts';
import { readOwner } from '../../../src/fs/process-owner.ts';
import { commitAll, openCli } from '../../support/cli/cli.ts';
import { endpointOf } from '../../support/engines/endpoint-of.ts';
import { removeRepository } from '../../support/engines/engine-images.ts';
import { removeVolume } from '../../support/engines/engine-left.ts';
import { runScript } from '../../support/engines/run-script.ts';

const engine = inject('engineHost');
const cli = openCli({ engine });
const name = `e2e-gradle-${process.pid}`;

// The only Gradle that can be had without its own site is Debian's: its jars serve as the distribution that a wrapper names.
// It is older than the JDK that it runs on here.
const opened = ['java.lang', 'java.lang.invoke', 'java.net', 'java.nio.charset', 'java.util'];
const toolchain = `gbuild: 1
name: ${name}
toolchain: { name: jvm, version: 17, buildPackages: [gradle], packages: [xmlstarlet] }
image: { jre: jlink }
network: host
caches: [{ name: ${name}, path: /cache/gradle, env: { GRADLE_USER_HOME: /cache/gradle } }]
env: { JDK_JAVA_OPTIONS: '${opened.map((each) => `--add-opens=java.base/${each}=ALL-UNNAMED`).join(' ')}' }
`;
const pack = `mkdir -p out/wrapper out/gradle-4.4.1
    cd out/wrapper
    jar xf /usr/share/java/gradle-wrapper.jar
    jar xf /usr/share/java/gradle-cli.jar
    echo versionNumber=4.4.1 > build-receipt.properties
    jar cfM ../gradle-wrapper.jar .
    cd ..
    cp -rL /usr/share/gradle/. gradle-4.4.1
    jar cfM gradle-4.4.1-bin.zip gradle-4.4.1
    xmlstarlet --version > xmlstarlet`;
const files = {
  'gbuild.yml': toolchain,
  '.gitignore': 'build/\n.gradle/\n',
  gradlew:
    '#!/bin/sh\nexec java -Dorg.gradle.appname=gradlew -cp gradle/wrapper/gradle-wrapper.jar org.gradle.wrapper.GradleWrapperMain "$@"\n',
  'settings.gradle': "rootProject.name = 'app'\n",
  'build.gradle': `apply plugin: 'java'
repositories { mavenCentral() }
dependencies {
  compile 'com.google.code.gson:gson:2.8.9'
  testCompile 'junit:junit:4.13.2'
}
`,
  'src/main/java/example/Main.java':
    'package example;\npublic final class Main {\n  public static void main(String[] args) { System.out.println("gradle " + new com.google.gson.Gson().toJson(new int[] {1})); }\n}\n',
  'src/test/java/example/MainTest.java':
    'package example;\npublic class MainTest {\n  @org.junit.Test public void passes() {}\n}\n',
};

let proxy: Server;
let cwd: string;
let distribution: Buffer;
const asked: string[] = [];

beforeAll(async () => {
  const made = cli.repository('distribution', {
    'gbuild.yml': `${toolchain}tasks:\n  pack: |\n    ${pack}\n`,
    '.gitignore': 'out/\n',
  });
  const packed = await cli.run(['run', 'pack'], { cwd: made });
  expect(packed.exitCode, packed.stderr).toBe(0);
  distribution = readFileSync(join(made, 'out/gradle-4.4.1-bin.zip'));
  cwd = cli.repository('app', files);
  mkdirSync(join(cwd, 'gradle/wrapper'), { recursive: true });
  cpSync(join(made, 'out/gradle-wrapper.jar'), join(cwd, 'gradle/wrapper/gradle-wrapper.jar'));
  proxy = createServer(({ url = '' }, response) => {
    asked.push(url);
    response.end(distribution);
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  const { port } = proxy.address() as AddressInfo;
  mkdirSync(join(cli.dir, 'home/.gradle'));
  writeFileSync(
    join(cli.dir, 'home/.gradle/gradle.properties'),
    `systemProp.http.proxyHost=127.0.0.1\nsystemProp.http.proxyPort=${port}\nsystemProp.http.nonProxyHosts=\n`,
  );
}, 600_000);
afterAll(async () => {
  proxy?.close();
  await removeRepository(engine, name);
  await removeVolume(engine, `gbuild-cache-${name}-${process.getuid?.() ?? 0}`);
  cli[Symbol.dispose]();
});

function writeWrapper(path: string, sha256: string): void {
  writeFileSync(
    join(cwd, 'gradle/wrapper/gradle-wrapper.properties'),
    `distributionBase=GRADLE_USER_HOME
distributionPath=wrapper/dists
distributionUrl=http\\://gradle.invalid/${path}/gradle-4.4.1-bin.zip
distributionSha256Sum=${sha256}
zipStoreBase=GRADLE_USER_HOME
zipStorePath=wrapper/dists
`,
  );
  commitAll(cwd, path);
}

describe("Gradle by the repository's wrapper", { timeout: 600_000 }, () => {
  test("is the distribution that it names, fetched by the caller's proxy", async () => {
    writeWrapper('mirror', createHash('sha256').update(distribution).digest('hex'));
    const { exitCode, stdout, stderr } = await cli.run(['test'], { cwd });
    expect([exitCode, stdout], stderr).toEqual([0, expect.stringContaining('BUILD SUCCESSFUL')]);
    expect(asked).toEqual(['http://gradle.invalid/mirror/gradle-4.4.1-bin.zip']);
  });

  test('builds an image with a Java runtime of its own, and is not fetched again', async () => {
    commitAll(cwd, 'locked');
    const released = await cli.run(['image', '--release', '1.0.0', '--json'], { cwd });
    expect(released.exitCode, `${released.stdout}${released.stderr}`).toBe(0);
    const client = connectEngine(endpointOf(engine), { owner: readOwner(), runId: `gradle-${process.pid}` });
    expect(
      await runScript(
        client,
        `${name}:1.0.0`,
        '/app/start; cd /app; ls; ls lib; xmlstarlet --version | grep -c libxml2',
      ),
    ).toBe('gradle [1]\napp.args\napp.jar\nlib\nstart\ngson-2.8.9.jar\n1\n');
    client.close();
    expect(asked).toHaveLength(1);
  });

  test('builds an image that its own start script starts, with the options of the build', async () => {
    const build = join(cwd, 'build.gradle');
    const application =
      "'application'\nmainClassName = 'example.Main'\napplicationDefaultJvmArgs = ['-Dmode=production']";
    writeFileSync(build, readFileSync(build, 'utf8').replace("'java'", application));
    const main = join(cwd, 'src/main/java/example/Main.java');
    writeFileSync(main, readFileSync(main, 'utf8').replace('"gradle "', 'System.getProperty("mode") + " "'));
    const { exitCode, stdout, stderr } = await cli.run(['image', '--json'], { cwd });
    expect(exitCode, `${stdout}${stderr}`).toBe(0);
    const client = connectEngine(endpointOf(engine), { owner: readOwner(), runId: `gradle-${process.pid}` });
    const { reference } = JSON.parse(stdout) as ImageRecord;
    expect(await runScript(client, reference, '/app/start; cd /app; ls')).toBe('production [1]\nbin\nlib\nstart\n');
    client.close();
  });

  test('is refused where it is not the one whose checksum the repository has', async () => {
    writeWrapper('another', '0'.repeat(64));
    const { exitCode, stdout, stderr } = await cli.run(['test'], { cwd });
    expect([exitCode, `${stdout}${stderr}`]).toEqual([
      1,
      expect.stringContaining('Your Gradle distribution may have been tampered with.'),
    ]);
  });
});
