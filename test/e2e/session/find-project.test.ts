import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { git, openCli } from '../../support/cli/cli.ts';

const cli = openCli();
afterAll(() => cli[Symbol.dispose]());

const parent = '<project><artifactId>two</artifactId><modules><module>core</module></modules></project>';
const files = {
  'README.md': '',
  'complete/pom.xml': parent,
  'complete/core/pom.xml': '<project><parent><artifactId>two</artifactId></parent></project>',
  'complete/core/src/Main.java': '',
};

test('a project is looked for where one stands and upwards, and gbuild.yml is written where one stands', async () => {
  const top = cli.repository('upwards', files);
  const complete = join(top, 'complete');
  for (const folder of ['.', 'core', 'core/src']) {
    const { exitCode, stdout, stderr } = await cli.run(['plan', 'test'], { cwd: join(complete, folder) });
    expect([exitCode, stdout], stderr).toEqual([0, expect.stringMatching(`^repository +two in ${complete}\n`)]);
  }
  const { exitCode, stderr } = await cli.run(['init'], { cwd: complete });
  expect([exitCode, readFileSync(join(complete, 'gbuild.yml'), 'utf8')], stderr).toEqual([
    0,
    expect.stringMatching(/^name: two$[\s\S]*^toolchain: jvm@/m),
  ]);
  const inside = await cli.run(['init', '--toolchain', 'node'], { cwd: join(complete, 'core') });
  expect([inside.exitCode, existsSync(join(complete, 'core/gbuild.yml'))], inside.stderr).toEqual([0, true]);
});

test('where none is, the folders that look like projects are named with what to type', async () => {
  const top = cli.repository('below', files);
  mkdirSync(join(top, 'initial'));
  const results = [];
  for (const [folder, command] of [
    ['.', 'test'],
    ['.', 'init'],
    ['initial', 'test'],
  ] as const) {
    const { exitCode, stderr } = await cli.run([command], { cwd: join(top, folder) });
    results.push(exitCode, cli.plain(stderr));
  }
  expect(results).toMatchInlineSnapshot(`
    [
      2,
      "error: no gbuild.yml in <dir>/below, and none of its files says how to build it; projects seem to be in complete
      try: gbuild test -C complete
      try: gbuild init --toolchain NAME   # one of jruby, jvm, node, ruby, sbt, an image or a folder
    ",
      2,
      "error: no gbuild.yml in <dir>/below, and none of its files says how to build it; projects seem to be in complete
      try: gbuild init -C complete
      try: gbuild init --toolchain NAME   # one of jruby, jvm, node, ruby, sbt, an image or a folder
    ",
      2,
      "error: no gbuild.yml in <dir>/below/initial, and none of its files says how to build it; projects seem to be in ../complete
      try: gbuild test -C ../complete
      try: gbuild init --toolchain NAME   # one of jruby, jvm, node, ruby, sbt, an image or a folder
    ",
    ]
  `);
  expect(git(top, 'status', '--porcelain')).toBe('');
  const typed = await cli.run(['plan', 'test', '-C', 'complete'], { cwd: top });
  expect([typed.exitCode, typed.stdout], typed.stderr).toEqual([0, expect.stringContaining(`two in ${top}/complete`)]);
});

test('at a terminal they are asked about', async () => {
  const top = cli.repository('asked', { ...files, 'another/package.json': '{"name":"another"}' });
  const running = cli.start(['plan', 'test'], { cwd: top, terminal: true, input: 'open', env: { TERM: 'xterm' } });
  await running.until('Which folder is the project?');
  running.type('\u001B[B\r');
  const { exitCode, stdout } = await running.ended;
  expect([exitCode, stdout.includes('the project is in complete'), stdout.includes(`two in ${top}/complete`)]).toEqual([
    0,
    true,
    true,
  ]);
});
