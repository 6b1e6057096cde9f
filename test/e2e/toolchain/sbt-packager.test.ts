import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import type { ImageRecord } from '../../../src/actions/release/record.ts';
import { connectEngine, type Engine } from '../../../src/engine/engine.ts';
import { readOwner } from '../../../src/fs/process-owner.ts';
import { commitAll, openCli } from '../../support/cli/cli.ts';
import { endpointOf } from '../../support/engines/endpoint-of.ts';
import { inspectImage, removeRepository } from '../../support/engines/engine-images.ts';
import { runScript } from '../../support/engines/run-script.ts';

const engine = inject('engineHost');
const cli = openCli({ engine });
const name = `e2e-sbt-packager-${process.pid}`;
const spec = `gbuild: 1\nname: ${name}\ntoolchain: {name: sbt, jdk: 21}\n`;
let client: Engine;
let cwd: string;

/** Its compiler needs more stack than the JVM's default of 1 MB, and less than the 4 MB that sbt's own start script gives it. */
const deep = `object Deep {\n  def text(x: String): String =\n    x${Array.from({ length: 160 }, (_, index) => ` + "${index}" + x`).join('')}\n}\n`;
const mainOf = (body: string) => `object Main {\n  def main(args: Array[String]): Unit = ${body}\n}\n`;

beforeAll(async () => {
  client = connectEngine(endpointOf(engine), { owner: readOwner(), runId: `sbt-packager-${process.pid}` });
  // One start of sbt for all: each project is staged in another form.
  cwd = cli.repository('packager', {
    'gbuild.yml': spec,
    '.gitignore': 'target/\n.bsp/\n',
    'project/build.properties': 'sbt.version=1.11.7\n',
    'project/packager.sbt': 'addSbtPlugin("com.github.sbt" % "sbt-native-packager" % "1.11.7")\n',
    'build.sbt': `ThisBuild / version := "1.0.0"
ThisBuild / scalaVersion := "2.13.16"
Compile / packageDoc / publishArtifact := false
lazy val core = project
lazy val ash = project.enablePlugins(JavaAppPackaging, AshScriptPlugin).dependsOn(core)
lazy val launcher = project.enablePlugins(JavaAppPackaging, LauncherJarPlugin)
lazy val universal = project.enablePlugins(JavaAppPackaging).settings(
  bashScriptExtraDefines += """addJava "-Dshop.config=\${app_home}/../conf/shop.properties"""",
  Universal / javaOptions += "-Dshop.mode=production",
)
lazy val several = project.enablePlugins(JavaAppPackaging)
lazy val play = project.enablePlugins(JavaAppPackaging)
`,
    'core/src/main/scala/Deep.scala': deep,
    'ash/src/main/scala/Main.scala': mainOf('println("ash " + Deep.text("-").length + " " + args.mkString)'),
    'launcher/src/main/scala/Main.scala': mainOf('println("launched " + args.mkString)'),
    'universal/src/universal/conf/shop.properties': 'greeting=hello\n',
    'universal/src/main/scala/Main.scala': mainOf(
      'println("mode " + sys.props("shop.mode") + ", settings " + new java.io.File(sys.props("shop.config")).exists)',
    ),
    // An archive without files.
    'play/lib/org.playframework.play-server_2.13-3.0.11.jar': `PK\u0005\u0006${'\0'.repeat(18)}`,
    'play/src/main/scala/Main.scala': mainOf('println("process id in " + sys.props.get("pidfile.path"))'),
    'several/src/main/scala/One.scala': mainOf('println("one")').replace('Main', 'One'),
    'several/src/main/scala/Two.scala': mainOf('println("two")').replace('Main', 'Two'),
  });
  const built = await cli.run(['build'], { cwd });
  expect(built.exitCode, `${built.stdout}${built.stderr}`).toBe(0);
  commitAll(cwd, 'locked');
}, 600_000);
afterAll(async () => {
  client.close();
  await removeRepository(engine, name);
  cli[Symbol.dispose]();
});

const stageAs = (options: string) =>
  writeFileSync(join(cwd, 'gbuild.yml'), `${spec}tasks: { stage: "sbt-stage ${options}" }\n`);

async function makeImage(options: string): Promise<ImageRecord> {
  stageAs(options);
  const { exitCode, stdout, stderr } = await cli.run(['image', '--json'], { cwd });
  expect(exitCode, `${stdout}${stderr}`).toBe(0);
  return JSON.parse(stdout) as ImageRecord;
}

async function refusalOf(options: string): Promise<[number | string, string]> {
  stageAs(options);
  const { exitCode, stdout, stderr } = await cli.run(['run', 'stage', '--quiet'], { cwd });
  return [exitCode, `${stdout}${stderr}`.replace(/^.*error: task [\s\S]*$/m, '')];
}

describe('an image of sbt-native-packager', { timeout: 600_000 }, () => {
  test.each([
    ['ash', "by Ash's script", 'ash 531 word\n'],
    ['launcher', 'by a jar that names the class path', 'launched word\n'],
    ['universal', "by bash's script, with its files and options", 'mode production, settings true\n'],
  ])('starts %s %s', async (project, _how, says) => {
    const { reference } = await makeImage(`--project ${project}`);
    expect(await runScript(client, reference, `/app/start word; cd /app; ls bin`)).toMatch(new RegExp(`^${says}`));
  });

  test("gives Play's script no file for its process id, unless the build says something of one", async () => {
    const { reference } = await makeImage('--project play');
    expect(await runScript(client, reference, '/app/start')).toBe('process id in Some(/dev/null)\n');
    mkdirSync(join(cwd, 'play/target/universal/stage/conf'));
    writeFileSync(join(cwd, 'play/target/universal/stage/conf/application.conf'), 'play.server.pidfile.path = x\n');
    const settled = await makeImage('--project play');
    expect(await runScript(client, settled.reference, '/app/start')).toBe('process id in None\n');
  });

  test("is started as the Procfile says, by the script's place in the image, with its PORT", async () => {
    writeFileSync(join(cwd, 'gbuild.yml'), `${spec}tasks: { build: "true" }\n`);
    writeFileSync(join(cwd, 'Procfile'), 'web: ash/target/universal/stage/bin/ash at $PORT\n');
    const { exitCode, stdout, stderr } = await cli.run(['image', '--json'], { cwd });
    rmSync(join(cwd, 'Procfile'));
    expect(exitCode, `${stdout}${stderr}`).toBe(0);
    const { reference } = JSON.parse(stdout) as ImageRecord;
    const { Entrypoint, ExposedPorts } = (await inspectImage(engine, reference))!.Config;
    const line = 'exec /app/start at $PORT';
    expect([Entrypoint, ExposedPorts]).toEqual([['/bin/sh', '-c', line], { '8080/tcp': {} }]);
    expect(await runScript(client, reference, line)).toBe('ash 531 at8080\n');
  });

  test('is the same image where nothing has changed', async () => {
    const [first, second] = [await makeImage('--project ash'), await makeImage('--project ash')];
    expect(second.imageId).toBe(first.imageId);
  });

  test('names the projects, the scripts and the classes to choose from', async () => {
    expect(await refusalOf('')).toMatchInlineSnapshot(`
      [
        2,
        "sbt-stage: several projects are staged: ash, launcher, play, several, universal; say in gbuild.yml which one the image is of, for example:
        tasks: { stage: { run: sbt-stage --project ash, needs: [build] } }
      ",
      ]
    `);
    expect(await refusalOf('--project several')).toMatchInlineSnapshot(`
      [
        2,
        "sbt-stage: ./several/target/universal/stage/bin has several start scripts: one, several, two; say in gbuild.yml which one starts the image, for example:
        tasks: { stage: { run: sbt-stage --project several --script one, needs: [build] } }
      ",
      ]
    `);
    const { reference } = await makeImage('--project several --script two');
    expect(await runScript(client, reference, '/app/start')).toBe('two\n');
  });
});
