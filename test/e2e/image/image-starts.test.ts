import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { type CliResult, commitAll, openCli } from '../../support/cli/cli.ts';
import { listTags, removeRepository, runImage } from '../../support/engines/engine-images.ts';
import { ensureTestImage, smallImage } from '../../support/images/base-image.ts';

const engine = inject('engineHost');
const cli = openCli({ engine, toolchain: smallImage });
const names: string[] = [];
beforeAll(() => ensureTestImage(engine, smallImage));
afterAll(async () => {
  for (const name of names) await removeRepository(engine, name);
  cli[Symbol.dispose]();
});

/** A name that no other test has. */
function nameOf(text: string): string {
  const name = `e2e-starts-${text}-${process.pid}`;
  names.push(name);
  return name;
}

/** A repository whose image stands on the small base, which has a shell and no more. */
function onSmall(text: string, image: string, files: Record<string, string>): { name: string; cwd: string } {
  const name = nameOf(text);
  return { name, cwd: cli.tasks(name, `image:\n  base: ${smallImage}\n  ${image}\n`, files) };
}

const refusal = ({ exitCode, stderr }: CliResult) => [
  exitCode,
  cli
    .plain(stderr.slice(stderr.indexOf('error:')))
    .replaceAll(`-${process.pid}`, '')
    .replace(/dev-\w+(-dirty)?/, '<tag>'),
];

test('an image and a release that lack their script are refused: where it is, why it is left out, and what to write', async () => {
  const layers = 'layers: [{name: application, from: [bin], exclude: ["**/*.sh"]}]';
  const { name, cwd } = onSmall('left-out', `entrypoint: [sh, bin/start.sh]\n  ${layers}`, {
    'bin/start.sh': 'echo\n',
    'bin/other': '',
  });
  expect(refusal(await cli.run(['image'], { cwd }))).toMatchInlineSnapshot(`
    [
      2,
      "error: e2e-starts-left-out:<tag> could not start:
      the script /app/bin/start.sh is missing
        bin/start.sh is in the workspace, but the layer application excludes **/*.sh
      try: take **/*.sh out of "exclude" of the layer application in gbuild.yml
    ",
    ]
  `);
  commitAll(cwd, 'locked');
  const released = await cli.run(['image', '--release', '1.0.0'], { cwd });
  expect([released.exitCode, released.stderr]).toEqual([2, expect.stringContaining('1.0.0 could not start')]);
  expect(await listTags(engine, name)).toEqual([]);
  expect((await cli.run(['releases', name], { cwd })).stdout).not.toContain('1.0.0');
  writeFileSync(join(cwd, 'bin/start.sh'), 'echo started\n');
  const spec = `gbuild: 1\nname: ${name}\ntoolchain: ${smallImage}\nimage:\n  base: ${smallImage}\n  entrypoint: [sh, bin/start.sh]\n  layers: [{name: application, from: [bin]}]\n`;
  writeFileSync(join(cwd, 'gbuild.yml'), spec);
  const mended = await cli.run(['image', '--tag', 'mended'], { cwd });
  expect(mended.exitCode, mended.stderr).toBe(0);
  expect(await runImage(engine, `${name}:mended`)).toBe('started\n');
});

test('a program without its interpreter, its executable bit or its loader is refused', async () => {
  const { cwd } = onSmall('program', 'entrypoint: [bin/run]\n  layers: [{name: application, from: [bin]}]', {
    'bin/run': '#!/usr/bin/env python3\n',
  });
  const run = async (text?: string) => {
    if (text !== undefined) writeFileSync(join(cwd, 'bin/run'), text);
    return refusal(await cli.run(['image'], { cwd }));
  };
  expect(await run()).toMatchInlineSnapshot(`
    [
      2,
      "error: e2e-starts-program:<tag> could not start:
      the interpreter of /app/bin/run, /usr/bin/env, is missing
      try: put /usr/bin/env into the base, gbuild-test/small:bookworm, or name another one: image.base in gbuild.yml
    ",
    ]
  `);
  expect(await run('#!/bin/sh\r\necho\r\n')).toMatchInlineSnapshot(`
    [
      2,
      "error: e2e-starts-program:<tag> could not start:
      the first line of /app/bin/run ends with a carriage return, as on Windows, so its interpreter is not found
        bin/run has line ends of Windows
      try: echo 'bin/run text eol=lf' >> .gitattributes && git add --renormalize bin/run
    ",
    ]
  `);
  copyFileSync('/bin/true', join(cwd, 'bin/run'));
  expect(await run()).toMatchInlineSnapshot(`
    [
      2,
      "error: e2e-starts-program:<tag> could not start:
      the loader of /app/bin/run, /lib64/ld-linux-x86-64.so.2, is missing
      try: put /lib64/ld-linux-x86-64.so.2 into the base, gbuild-test/small:bookworm, or name another one: image.base in gbuild.yml
    ",
    ]
  `);
  const plain = onSmall('mode', 'entrypoint: [bin/run]\n  layers: [{name: application, from: [bin]}]', {
    'bin/run': 'echo\n',
  });
  expect(refusal(await cli.run(['image'], { cwd: plain.cwd }))).toMatchInlineSnapshot(`
    [
      2,
      "error: e2e-starts-mode:<tag> could not start:
      its program /app/bin/run is not executable for the user 65532:65532
        bin/run has no executable bit
      try: chmod +x bin/run && git update-index --chmod=+x bin/run
    ",
    ]
  `);
  const none = onSmall('none', 'entrypoint: [node, bin/run]\n  layers: [{name: application, from: [bin]}]', {
    'bin/run': '',
  });
  expect(refusal(await cli.run(['image'], { cwd: none.cwd }))).toMatchInlineSnapshot(`
    [
      2,
      "error: e2e-starts-none:<tag> could not start:
      its program node is in no folder of its PATH (/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin)
      try: correct image.entrypoint in gbuild.yml
      try: put node into the base, gbuild-test/small:bookworm, or name another one: image.base in gbuild.yml
    ",
    ]
  `);
});

/** A package of the repository that brings a command. */
const runner = {
  'tools/runner/package.json': '{"name": "runner", "version": "1.0.0", "bin": {"run-it": "run.js"}}',
  'tools/runner/run.js': '#!/usr/bin/env node\nconsole.log("ran");\n',
};

function nodeRepository(text: string, manifest: object, files: Record<string, string>): { name: string; cwd: string } {
  const name = nameOf(text);
  const json = JSON.stringify({ name, version: '1.0.0', private: true, engines: { node: '^24' }, ...manifest });
  return {
    name,
    cwd: cli.repository(name, { '.gitignore': 'node_modules/\n/app.js\n', 'package.json': json, ...files }),
  };
}

/** As one finds it: gbuild.lock is committed, then the plan, then the image and what it says. */
async function planAndStart({ name, cwd }: { name: string; cwd: string }) {
  const plan = await cli.run(['plan', 'image'], { cwd });
  const { exitCode, stderr } = await cli.run(['image', '--tag', 'tried'], { cwd });
  expect(exitCode, stderr).toBe(0);
  const starts = plan.stdout.slice(plan.stdout.indexOf('starts '), plan.stdout.indexOf('as user'));
  return [starts, await runImage(engine, `${name}:tried`)];
}

test('a start script that calls another script of package.json is started without npm', async () => {
  const scripts = { start: 'npm run start:prod', 'start:prod': 'node server.js' };
  const made = nodeRepository('npm-run', { scripts }, { 'server.js': "console.log('started');\n" });
  expect(await planAndStart(made)).toEqual(['starts      node server.js\n', 'started\n']);
});

test('a main file that the build writes beside its source is in the image', async () => {
  const build = `require('node:fs').writeFileSync('app.js', "console.log('built');\\n");\n`;
  const made = nodeRepository(
    'in-place',
    { main: 'app.js', scripts: { build: 'node build.js' } },
    { 'build.js': build },
  );
  expect(await planAndStart(made)).toEqual(['starts      node app.js\n', 'built\n']);
});

test('a start that reads its variables from a file is told by the plan, and started as the remedy says', async () => {
  const scripts = { start: 'node --env-file=.env server.js' };
  const { name, cwd } = nodeRepository(
    'env-file',
    { scripts },
    { 'server.js': "console.log('started');\n", '.env': 'A=b\n' },
  );
  const plan = await cli.run(['plan', 'image'], { cwd });
  const why =
    'the file of --env-file, /app/.env, is missing; .env is in the workspace, but a file of this name may hold credentials';
  expect(plan.stdout).toContain(`! ${why}`);
  const said = refusal(await cli.run(['image'], { cwd }));
  expect(said).toMatchInlineSnapshot(`
    [
      2,
      "error: e2e-starts-env-file:<tag> could not start:
      the file of --env-file, /app/.env, is missing
        .env is in the workspace, but a file of this name may hold credentials
      try: gbuild init, then write in gbuild.yml: image: {entrypoint: ["node","server.js"]}   # its variables come from where it runs
    ",
    ]
  `);
  const [, remedy = ''] = /write in gbuild.yml: (.*?) +#/.exec(String(said[1])) ?? [];
  writeFileSync(join(cwd, 'gbuild.yml'), `gbuild: 1\nname: ${name}\ntoolchain: node@^24\n${remedy}\n`);
  const mended = await cli.run(['image', '--tag', 'tried'], { cwd });
  expect(mended.exitCode, mended.stderr).toBe(0);
  expect(await runImage(engine, `${name}:tried`)).toBe('started\n');
});

test('a command of a development dependency is told by the plan and refused by the image', async () => {
  const dependency = { runner: 'file:tools/runner' };
  const scripts = { start: 'run-it', 'start:prod': 'node tools/runner/run.js' };
  const lock = (dev: object) =>
    JSON.stringify({
      lockfileVersion: 3,
      requires: true,
      packages: {
        '': { ...dev },
        'node_modules/runner': { resolved: 'tools/runner', link: true, ...('devDependencies' in dev && { dev: true }) },
        'tools/runner': {
          version: '1.0.0',
          bin: { 'run-it': 'run.js' },
          ...('devDependencies' in dev && { dev: true }),
        },
      },
    });
  const dev = { devDependencies: dependency };
  const made = nodeRepository('of-dev', { scripts, ...dev }, { ...runner, 'package-lock.json': lock(dev) });
  const said = refusal(await cli.run(['image'], { cwd: made.cwd }));
  expect(said).toMatchInlineSnapshot(`
    [
      2,
      "error: e2e-starts-of-dev:<tag> could not start:
      its program run-it is in no folder of its PATH (/usr/local/bin:/usr/bin:/bin:/app/node_modules/.bin)
        run-it is a command of runner, a development dependency
      try: gbuild init, then write in gbuild.yml: image: {entrypoint: ["node","tools/runner/run.js"]}   # as the script start:prod
      try: move runner from devDependencies to dependencies in package.json
      try: gbuild init   # then say in gbuild.yml what starts: image.entrypoint
    ",
    ]
  `);
  const plan = await cli.run(['plan', 'image'], { cwd: made.cwd });
  expect(plan.stdout).toContain(
    '! run-it is a command of runner, a development dependency, which is not in the image\n',
  );
  const mended = { dependencies: dependency };
  const good = nodeRepository('command', { scripts, ...mended }, { ...runner, 'package-lock.json': lock(mended) });
  expect(await planAndStart(good)).toEqual(['starts      run-it\n', 'ran\n']);
});

test('a script that .dockerignore names or git ignores is told by the plan and refused by the image', async () => {
  const made = nodeRepository('ignored', { main: 'server.js' }, { 'server.js': '', '.dockerignore': '*.js\n' });
  const plan = await cli.run(['plan', 'image'], { cwd: made.cwd });
  expect(plan.stdout).toContain(
    '! the script /app/server.js is missing; server.js is in the workspace, but .dockerignore names it\n',
  );
  expect(refusal(await cli.run(['image'], { cwd: made.cwd }))).toMatchInlineSnapshot(`
    [
      2,
      "error: e2e-starts-ignored:<tag> could not start:
      the script /app/server.js is missing
        server.js is in the workspace, but .dockerignore names it
      try: write "!server.js" at the end of .dockerignore
    ",
    ]
  `);
  const left = nodeRepository('left', { main: 'app.js' }, {});
  writeFileSync(join(left.cwd, 'app.js'), '');
  expect(refusal(await cli.run(['image'], { cwd: left.cwd }))).toMatchInlineSnapshot(`
    [
      2,
      "error: e2e-starts-left:<tag> could not start:
      the script /app/app.js is missing
        app.js is in the workspace, but git ignores it and no task made it
      try: have a task make it, or take it out of .gitignore
    ",
    ]
  `);
});
