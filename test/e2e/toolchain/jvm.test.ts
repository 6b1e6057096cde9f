import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import type { ImageRecord } from '../../../src/actions/release/record.ts';
import { connectEngine, type Engine } from '../../../src/engine/engine.ts';
import { readOwner } from '../../../src/fs/process-owner.ts';
import { commitAll, openCli } from '../../support/cli/cli.ts';
import { endpointOf } from '../../support/engines/endpoint-of.ts';
import { removeRepository } from '../../support/engines/engine-images.ts';
import { removeVolume } from '../../support/engines/engine-left.ts';
import { runScript } from '../../support/engines/run-script.ts';

const engine = inject('engineHost');
const cli = openCli({ engine });
const name = `e2e-jvm-${process.pid}`;
let client: Engine;
beforeAll(() => {
  client = connectEngine(endpointOf(engine), { owner: readOwner(), runId: `jvm-${process.pid}` });
});
afterAll(async () => {
  client.close();
  await removeRepository(engine, name);
  cli[Symbol.dispose]();
});

const spec = `gbuild: 1\nname: ${name}\ntoolchain: jvm@21\n`;
/** Builds are short: the quick compiler will do, which takes half of the processor's time. */
const quick = '-XX:TieredStopAtLevel=1\n-XX:+UseSerialGC\n';
const head = (artifact: string, more = '') => `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>com.example</groupId>
  <artifactId>${artifact}</artifactId>
  <version>1.0</version>
  <properties>
    <maven.compiler.release>21</maven.compiler.release>
    <project.build.sourceEncoding>UTF-8</project.build.sourceEncoding>
    <project.build.outputTimestamp>1980-01-01T00:00:02Z</project.build.outputTimestamp>
  </properties>
${more}`;
const pinned = ['compiler:3.14.1', 'resources:3.3.1', 'surefire:3.5.4', 'jar:3.4.2'].map((each) => {
  const [plugin, version] = each.split(':');
  return `<plugin><artifactId>maven-${plugin}-plugin</artifactId><version>${version}</version></plugin>`;
});
const plugins = (more = '') => `<build><plugins>${pinned.join('')}${more}</plugins></build>`;
const gson =
  '<dependency><groupId>com.google.code.gson</groupId><artifactId>gson</artifactId><version>2.13.2</version></dependency>';
const mainClass = (says: string, body: string) =>
  `package example;\npublic final class Main {\n  public static void main(String[] args) { System.out.println("${says} " + ${body}); }\n}\n`;

async function release(cwd: string, version: string): Promise<ImageRecord> {
  commitAll(cwd, version);
  const locked = await cli.run(['lock'], { cwd });
  expect(locked.exitCode, locked.stderr).toBe(0);
  commitAll(cwd, 'locked');
  const { exitCode, stdout, stderr } = await cli.run(['image', '--release', version, '--json'], { cwd });
  expect(exitCode, `${stdout}${stderr}`).toBe(0);
  return JSON.parse(stdout) as ImageRecord;
}

const layersOf = ({ layers }: ImageRecord) => layers.map((layer) => layer.name.replace('gbuild layer: ', ''));
const jars = 'cd /app && find . -name "*.jar" | sort | sed "s|^./||"';
const start = (version: string) => runScript(client, `${name}:${version}`, `java @/app/app.args; ${jars}`);

describe('an image of the JVM', { timeout: 600_000 }, () => {
  test('of a repository of several modules has the one that starts, and the others as snapshots', async () => {
    const parent = '<parent><groupId>com.example</groupId><artifactId>all</artifactId><version>1.0</version></parent>';
    const module = (artifact: string, more: string) =>
      `<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>${parent}<artifactId>${artifact}</artifactId>${more}</project>`;
    const library =
      '<dependency><groupId>com.example</groupId><artifactId>library</artifactId><version>1.0</version></dependency>';
    const manifest =
      '<plugin><artifactId>maven-jar-plugin</artifactId><configuration><archive><manifest><mainClass>example.Main</mainClass></manifest></archive></configuration></plugin>';
    const cwd = cli.repository('modules', {
      'gbuild.yml': spec,
      '.gitignore': 'target/\n',
      '.mvn/jvm.config': quick,
      'pom.xml': `${head('all', '<packaging>pom</packaging><modules><module>library</module><module>service</module></modules>')}${plugins()}</project>`,
      'library/pom.xml': module('library', `<dependencies>${gson}</dependencies>`),
      'library/src/main/java/example/Library.java':
        'package example;\npublic final class Library {\n  public static String json() { return new com.google.gson.Gson().toJson(new int[] {1, 2}); }\n}\n',
      'service/pom.xml': module(
        'service',
        `<dependencies>${library}</dependencies><build><plugins>${manifest}</plugins></build>`,
      ),
      'service/src/main/java/example/Main.java': mainClass('modules', 'Library.json()'),
    });
    expect(layersOf(await release(cwd, '1.0.0'))).toEqual(['dependencies', 'snapshots', 'application']);
    expect(await start('1.0.0')).toBe(
      'modules [1,2]\nlib/error_prone_annotations-2.41.0.jar\nlib/gson-2.13.2.jar\nlib/library-1.0.jar\nservice-1.0.jar\n',
    );
  });

  test("of Spring Boot's jar beside the plain one, or of its war, starts as java -jar does; which of two has to be said", async () => {
    const boot = (configuration: string, more = '') =>
      `<build><plugins><plugin><groupId>org.springframework.boot</groupId><artifactId>spring-boot-maven-plugin</artifactId><version>3.5.7</version>
<configuration>${configuration}<mainClass>example.Main</mainClass></configuration><executions><execution><goals><goal>repackage</goal></goals></execution></executions></plugin>${more}</plugins></build>`;
    const manifest = (plugin: string) =>
      `<plugin><artifactId>maven-${plugin}-plugin</artifactId><configuration><failOnMissingWebXml>false</failOnMissingWebXml><archive><manifest><addDefaultImplementationEntries>true</addDefaultImplementationEntries></manifest><manifestEntries><Add-Opens>java.base/java.lang</Add-Opens></manifestEntries></archive></configuration></plugin>`;
    const parent = '<parent><groupId>com.example</groupId><artifactId>boot</artifactId><version>1.0</version></parent>';
    const module = (artifact: string, packaging: string, build: string) =>
      `<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>${parent}<artifactId>${artifact}</artifactId><packaging>${packaging}</packaging><dependencies>${gson}</dependencies>${build}</project>`;
    const opened = 'Main.class.getPackage().getImplementationVersion() + open() + new com.google.gson.Gson().toJson(3)';
    const source = mainClass('boot', opened).replace(
      /\}\n$/,
      '  private static String open() {\n    try {\n      String.class.getDeclaredField("value").setAccessible(true);\n      return " opened ";\n    } catch (Exception failure) {\n      throw new RuntimeException(failure);\n    }\n  }\n}\n',
    );
    const cwd = cli.repository('boot', {
      'gbuild.yml': spec,
      '.gitignore': 'target/\n',
      '.mvn/jvm.config': quick,
      'pom.xml': `${head('boot', '<packaging>pom</packaging><modules><module>api</module><module>web</module></modules>')}${plugins()}</project>`,
      'api/pom.xml': module('api', 'jar', boot('<classifier>exec</classifier>', manifest('jar'))),
      'api/src/main/java/example/Main.java': source,
      'api/src/main/resources/application.properties': 'a=1\n',
      'web/pom.xml': module('web', 'war', boot('', manifest('war'))),
      'web/src/main/java/example/Main.java': source,
    });
    const undecided = await cli.run(['image'], { cwd });
    expect([undecided.exitCode, undecided.stderr]).toEqual([
      2,
      expect.stringContaining(
        'several modules have an application: api (api/target/api-1.0-exec.jar), web (web/target/web-1.0.war); say in gbuild.yml which one the image is of, for example:\n  tasks: { stage: { run: jvm-stage --module api, needs: [build] } }',
      ),
    ]);
    for (const [module, version] of [
      ['api', '2.0.0'],
      ['web', '2.0.1'],
    ] as const) {
      const stage = `tasks:\n  stage: { run: jvm-stage --module ${module}, needs: [build] }\n`;
      writeFileSync(join(cwd, 'gbuild.yml'), `${spec}${stage}`);
      expect(layersOf(await release(cwd, version))).toEqual(['dependencies', 'application']);
      const folder = module === 'api' ? 'BOOT-INF' : 'WEB-INF';
      expect(await start(version)).toBe(
        `boot 1.0 opened 3\n${folder}/lib/error_prone_annotations-2.41.0.jar\n${folder}/lib/gson-2.13.2.jar\n${folder}/lib/spring-boot-jarmode-tools-3.5.7.jar\n`,
      );
    }
  });

  test('that could start several classes, or none, says what to write', async () => {
    const cwd = cli.repository('several', {
      'gbuild.yml': spec,
      '.gitignore': 'target/\n',
      '.mvn/jvm.config': quick,
      'pom.xml': `${head('several')}${plugins()}</project>`,
      'src/main/java/example/Main.java': mainClass('one', '1'),
      'src/main/java/example/Other.java': mainClass('two', '2').replace('class Main', 'class Other'),
    });
    const refused = await cli.run(['image'], { cwd });
    expect([refused.exitCode, refused.stderr]).toEqual([
      2,
      expect.stringContaining('several classes have a main method: example.Main, example.Other; name one'),
    ]);
    const named = 'tasks:\n  stage: { run: jvm-stage --main example.Other, needs: [build] }\n';
    writeFileSync(join(cwd, 'gbuild.yml'), `${spec}${named}`);
    await release(cwd, '3.0.0');
    expect(await start('3.0.0')).toBe('two 2\nseveral-1.0.jar\n');
  });

  test("of a build that chooses its JDK with maven-toolchains-plugin has the image's, by line, release and range, whatever vendor it names", async () => {
    const choices = [
      '<version>21</version>',
      `<version>${'$'}{chosen.jdk}</version><vendor>temurin</vendor>`,
      '<version>[17,22)</version><vendor>sun</vendor>',
    ].map(
      (jdk, at) =>
        `<execution><id>choice-${at}</id><goals><goal>toolchain</goal></goals><configuration><toolchains><jdk>${jdk}</jdk></toolchains></configuration></execution>`,
    );
    const choosing = `<plugin><artifactId>maven-toolchains-plugin</artifactId><version>3.2.0</version><executions>${choices.join('')}</executions></plugin>`;
    const cwd = cli.repository('chooses-jdk', {
      'gbuild.yml': `${spec}tasks:\n  test: mvn -B -ntp validate -Dchosen.jdk="$(sed -n 's/^JAVA_VERSION="\\(.*\\)"$/\\1/p' /usr/lib/jvm/java-21-*/release)"\n`,
      '.mvn/jvm.config': quick,
      'pom.xml': `${head('chooses', plugins(choosing))}</project>\n`,
    });
    const { exitCode, stdout, stderr } = await cli.run(['test'], { cwd });
    expect([exitCode, stdout.match(/Found matching toolchain for type jdk/g)?.length], `${stdout}${stderr}`).toEqual([
      0, 3,
    ]);
  });
});

describe('sbt', { timeout: 600_000 }, () => {
  const caches = ['/cache/coursier', '/cache/ivy', '/cache/sbt'].map((path, index) => ({
    name: `${name}-${index}`,
    path,
    ...(path === '/cache/coursier' && { env: { COURSIER_CACHE: path } }),
  }));
  afterAll(async () => {
    for (const cache of caches) await removeVolume(engine, `gbuild-cache-${cache.name}-${process.getuid?.() ?? 0}`);
  });

  test('needs no network for a build that needs nothing but sbt, and packs one without a plugin, with a Java runtime of its own', async () => {
    const cwd = cli.repository('plain-sbt', {
      'gbuild.yml': `gbuild: 1\nname: ${name}\ntoolchain: {name: sbt, jdk: 21}\nimage: {jre: jlink}\nnetwork: none\ncaches: ${JSON.stringify(caches)}\n`,
      '.gitignore': 'target/\n',
      '.jvmopts': quick,
      'project/build.properties': 'sbt.version=1.11.7\n',
      'build.sbt': 'name := "plain"\nversion := "1.0"\n',
      'src/main/scala/Main.scala': 'object Main { def main(args: Array[String]): Unit = println("plain sbt") }\n',
    });
    expect(layersOf(await release(cwd, '4.0.0'))).toEqual(['jre', 'dependencies', 'application']);
    const started = await runScript(client, `${name}:4.0.0`, `/app/start; cd /app; printf '%s\\n' lib/*.jar *.jar`);
    expect(started).toMatch(/^plain sbt\nlib\/scala-library[^\n]*\.jar\nplain_2\.12-1\.0\.jar\n$/);
  });
});
