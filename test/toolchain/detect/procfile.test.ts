import { join } from 'node:path';
import { createFixture } from 'fs-fixture';
import { describe, expect, test } from 'vitest';
import { readCatalog } from '../../../src/toolchain/catalog/catalog.ts';
import { readDefaults } from '../../../src/toolchain/detect/defaults.ts';

const catalog = await readCatalog([join(import.meta.dirname, '../../../images')]);

const boot = { 'build.gradle': "plugins { id 'org.springframework.boot' }\n", gradlew: '' };
const kinds: Record<string, { toolchain: string; files: Record<string, string>; builder?: string }> = {
  Maven: { toolchain: 'jvm', files: { 'pom.xml': '<project/>' }, builder: 'maven' },
  Gradle: { toolchain: 'jvm', files: { 'build.gradle.kts': '', gradlew: '' }, builder: 'gradle' },
  'Gradle with Boot': { toolchain: 'jvm', files: boot, builder: 'gradle' },
  sbt: { toolchain: 'sbt', files: { 'build.sbt': '' } },
};

/** What lays the image out, and what that starts: a shell's line as one text. */
async function read(kind: string, line: string, more: Record<string, string> = {}) {
  const { toolchain, files, builder } = kinds[kind]!;
  await using repository = await createFixture({ ...files, ...more, Procfile: `release: ./migrate\nweb: ${line}\n` });
  const rules = catalog.find(toolchain)!.data;
  const { tasks, entrypoint, unfitStart } = readDefaults(repository.path, rules, builder ? { builder } : {});
  const [shell, , text] = entrypoint?.command ?? [];
  const start = shell === '/bin/sh' ? text : entrypoint?.command.join(' ');
  return [tasks.stage?.run, start ?? unfitStart?.because];
}

describe("a Procfile's line is followed in the image", () => {
  test.each([
    ['Maven', 'java -jar target/app.jar', 'jvm-stage --artifact target/app.jar', 'java @/app/app.args'],
    [
      'Maven',
      'java $JAVA_OPTS -Dserver.port=$PORT -jar ./target/app-1.0.jar --spring.profiles.active=prod',
      'jvm-stage --artifact target/app-1.0.jar',
      'exec java $JAVA_OPTS -Dserver.port=$PORT @/app/app.args --spring.profiles.active=prod',
    ],
    [
      'Maven',
      `exec java -Dserver.port=\${PORT:-80} -jar target/*.jar`,
      'jvm-stage',
      `exec java -Dserver.port=\${PORT:-80} @/app/app.args`,
    ],
    [
      'Maven',
      'A=b java -jar web/target/web.jar',
      'jvm-stage --artifact web/target/web.jar',
      'A=b exec java @/app/app.args',
    ],
    ['Maven', 'java -Xmx300m -jar target/quarkus-app/quarkus-run.jar', 'jvm-stage', 'java -Xmx300m @/app/app.args'],
    [
      'Gradle',
      'java -jar build/libs/app.jar $PORT',
      'jvm-stage --artifact build/libs/app.jar',
      'exec java @/app/app.args $PORT',
    ],
    [
      'Gradle with Boot',
      'java -Dserver.port=$PORT -jar build/libs/*.jar',
      'jvm-stage',
      'exec java -Dserver.port=$PORT @/app/app.args',
    ],
    ['Gradle', './build/install/app/bin/app -p $PORT', 'jvm-stage', 'exec /app/start -p $PORT'],
    ['Gradle', 'sh app/build/install/app/bin/app', 'jvm-stage', '/app/start'],
    [
      'sbt',
      'target/universal/stage/bin/app -Dhttp.port=$PORT -Dconfig.file=target/universal/stage/conf/prod.conf',
      'sbt-stage --project . --script app',
      'exec /app/start -Dhttp.port=$PORT -Dconfig.file=/app/conf/prod.conf',
    ],
    ['sbt', 'web/target/universal/stage/bin/web -J-Xmx1g', 'sbt-stage --project web', '/app/start -J-Xmx1g'],
  ])('%s: %s', async (kind, line, stage, start) => {
    expect(await read(kind, line)).toEqual([stage, start]);
  });
});

describe('a line that the image cannot follow is named, and nothing else is started', () => {
  test.each([
    ['Maven', 'java -cp target/classes:target/dependency/* com.acme.Main'],
    ['Maven', 'java -jar target/dependency/webapp-runner.jar --port $PORT target/*.war'],
    ['Maven', 'java -javaagent:target/dependency/agent.jar -jar target/app.jar'],
    ['Maven', 'java -jar target/app.jar server config.yml'],
    ['Maven', 'java -Dconfig.file=config.yml -jar target/app.jar'],
    ['Maven', './migrate && java -jar target/app.jar'],
    ['Maven', 'sh target/bin/webapp'],
    ['Gradle', 'java -jar build/libs/*.jar'],
    ['Gradle', 'JAVA_OPTS=-Xmx1g build/install/app/bin/app'],
    ['Gradle', './gradlew run'],
    ['sbt', 'sbt run'],
    ['sbt', 'java -jar target/scala-2.13/app-assembly.jar'],
    ['sbt', 'cd web && target/universal/stage/bin/web'],
  ])('%s: %s', async (kind, line) => {
    const [, said] = await read(kind, line, { 'config.yml': '' });
    expect(said).toBe(`it is not known what the command of Procfile:2 is in the image: ${line}`);
  });

  test('but where it names no web, what the build made starts', async () => {
    await using repository = await createFixture({
      'pom.xml': '<project/>',
      Procfile: 'worker: java -jar target/app.jar\n',
    });
    const { tasks, entrypoint } = readDefaults(repository.path, catalog.find('jvm')!.data, { builder: 'maven' });
    expect([tasks.stage?.run, entrypoint?.command]).toEqual(['jvm-stage', ['java', '@/app/app.args']]);
  });
});
