import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import type { ImageRecord } from '../../../src/actions/release/record.ts';
import { connectEngine } from '../../../src/engine/engine.ts';
import { readOwner } from '../../../src/fs/process-owner.ts';
import { commitAll, git, openCli } from '../../support/cli/cli.ts';
import { endpointOf } from '../../support/engines/endpoint-of.ts';
import { inspectImage, removeRepository, runImage, stopImage } from '../../support/engines/engine-images.ts';
import { runScript } from '../../support/engines/run-script.ts';

const engine = inject('engineHost');
const client = connectEngine(endpointOf(engine), { owner: readOwner(), runId: `layouts-${process.pid}` });
const name = `e2e-layouts-${process.pid}`;
const cli = openCli({ engine });

const build = `
const { existsSync, mkdirSync, readFileSync, writeFileSync } = require('node:fs');
const write = (path, text) => {
  if (existsSync(path) && readFileSync(path, 'utf8') === text) return;
  mkdirSync(require('node:path').dirname(path), { recursive: true });
  writeFileSync(path, text);
};
write('app.js', "console.log(require('@shop/text')(), 'and', require('./packages/api/dist/main.js'), require('./vendor/shared/prices.js'))");
write('packages/text/dist/index.js', "module.exports = () => 'ms ' + require('ms/package.json').version");
write('packages/api/dist/main.js', "module.exports = require('ms/package.json').version");
write('.next/server/page.js', '');
write('.next/cache/large', '');
`;

const lock = {
  name: 'shop',
  lockfileVersion: 3,
  requires: true,
  packages: {
    '': { name: 'shop', workspaces: ['packages/*'], devDependencies: { 'is-number': '7.0.0' } },
    'node_modules/@shop/api': { resolved: 'packages/api', link: true },
    'node_modules/@shop/text': { resolved: 'packages/text', link: true },
    'node_modules/is-number': {
      version: '7.0.0',
      integrity: 'sha512-41Cifkg6e8TylSpdtTpeLVMqvSBEVzTttHvERD741+pnZ8ANv0004MRL43QKPDlK9cGvNp6NZWZUBlbGXYxxng==',
      dev: true,
    },
    'node_modules/ms': {
      version: '2.1.3',
      integrity: 'sha512-6FlzubTLZG3J2a/NVCAleEhjzq5oxgHyaCU9yYXvcLsvoVaHJq/s5xXI6/XXP6tz7R9xAOtHnSO/tXtF3WRTlA==',
    },
    'packages/api': { name: '@shop/api', version: '1.0.0', dependencies: { ms: '2.0.0' } },
    'packages/api/node_modules/ms': {
      version: '2.0.0',
      integrity: 'sha512-Tpp60P6IUJDTuOq/5Z8cdskzJujfwqfOTkrwIwj7IRISpnkJnT6SyJ4PCPnGMoFjC9ddhal5KVIYtAt97ix05A==',
    },
    'packages/text': { name: '@shop/text', version: '1.0.0', dependencies: { ms: '2.1.3' } },
  },
};

/** Everything that the image has at /app, apart from what is in packages of node_modules. */
const list = `node -e "
  const { readdirSync } = require('node:fs');
  const show = (path) => readdirSync('/app/' + path, { withFileTypes: true }).forEach((entry) => {
    const below = path + entry.name;
    const isPackage = path.includes('node_modules/') && entry.name !== '@shop';
    if (entry.isDirectory() && !isPackage) show(below + '/'); else console.log(below);
  });
  show('');
" | sort`;

let rootDir: string;
let first: ImageRecord;

beforeAll(() => {
  const shared = cli.repository('shared', { 'prices.js': "module.exports = '12 EUR';\n" });
  rootDir = cli.repository('shop', {
    'gbuild.yml': `gbuild: 1\nname: ${name}\ntoolchain: node@^24\nimage: { entrypoint: [node, app.js] }\n`,
    '.gitignore': 'node_modules/\ndist/\n.next/\n/app.js\n/mine/\n.npmrc\n',
    'package.json': JSON.stringify({
      name: 'shop',
      private: true,
      workspaces: ['packages/*'],
      scripts: { build: 'node build.js', test: 'node app.js' },
      devDependencies: { 'is-number': '7.0.0' },
    }),
    'package-lock.json': JSON.stringify(lock),
    'build.js': build,
    'packages/api/package.json': '{"name": "@shop/api", "version": "1.0.0", "dependencies": {"ms": "2.0.0"}}',
    'packages/text/package.json':
      '{"name": "@shop/text", "version": "1.0.0", "main": "dist/index.js", "dependencies": {"ms": "2.1.3"}}',
    'README.md': '',
  });
  git(rootDir, '-c', 'protocol.file.allow=always', 'submodule', '--quiet', 'add', shared, 'vendor/shared');
});
afterAll(async () => {
  await removeRepository(engine, name);
  client.close();
  cli[Symbol.dispose]();
});

test('tasks of a workspace leave nothing behind, and no package manager warns of what gbuild set', async () => {
  const { exitCode, stdout, stderr } = await cli.run(['test'], { cwd: rootDir });
  expect([exitCode, stdout], stderr).toEqual([0, expect.stringContaining('ms 2.1.3 and 2.0.0 12 EUR')]);
  expect(`${stdout}${stderr}`).not.toContain('Unknown env config');
  commitAll(rootDir, 'all of it');
  expect(git(rootDir, 'status', '--porcelain')).toBe('');
});

test('an image has outputs under any name, workspaces and submodules, and nothing that a person left', async () => {
  for (const [path, text] of [
    ['mine/notes.txt', 'mine'],
    ['.npmrc', 'fund=false\n'],
  ] as const) {
    mkdirSync(dirname(join(rootDir, path)), { recursive: true });
    writeFileSync(join(rootDir, path), text);
  }
  const { exitCode, stdout, stderr } = await cli.run(['image', '--json'], { cwd: rootDir });
  expect(exitCode, stderr).toBe(0);
  first = JSON.parse(stdout) as ImageRecord;
  expect(await runImage(engine, first.reference)).toBe('ms 2.1.3 and 2.0.0 12 EUR\n');
  expect(await runScript(client, first.reference, list)).toMatchInlineSnapshot(`
    ".next/server/page.js
    README.md
    app.js
    build.js
    node_modules/@shop/api
    node_modules/@shop/text
    node_modules/ms
    package.json
    packages/api/dist/main.js
    packages/api/node_modules/ms
    packages/api/package.json
    packages/text/dist/index.js
    packages/text/package.json
    vendor/shared/prices.js
    "
  `);
});

test('an unchanged tree gives the same image again', async () => {
  writeFileSync(join(rootDir, 'new.js'), '');
  const [one, two] = [
    await cli.run(['image', '--json'], { cwd: rootDir }),
    await cli.run(['image', '--json'], { cwd: rootDir }),
  ];
  expect([one.exitCode, two.exitCode], two.stderr).toEqual([0, 0]);
  expect(JSON.parse(two.stdout).imageId).toBe(JSON.parse(one.stdout).imageId);
});

test('a release has the same files as the image of its commit, whatever lay about', async () => {
  git(rootDir, 'clean', '-qf', 'new.js');
  const { exitCode, stdout, stderr } = await cli.run(['image', '--release', '1.0.0', '--json'], { cwd: rootDir });
  expect(exitCode, stderr).toBe(0);
  const digests = ({ layers }: ImageRecord) => layers.map(({ diffId }) => diffId);
  expect(digests(JSON.parse(stdout) as ImageRecord)).toEqual(digests(first));
});

test('a repository without a .gitignore is released again and again: packages are no change of it', async () => {
  const cwd = cli.repository('unruly', {
    'gbuild.yml': `gbuild: 1\nname: ${name}\ntoolchain: node@^24\nimage: { entrypoint: [node, app.js] }\n`,
    'package.json': '{"name": "unruly", "dependencies": {"ms": "2.1.3"}}',
    'package-lock.json': JSON.stringify({
      name: 'unruly',
      lockfileVersion: 3,
      requires: true,
      packages: {
        '': { name: 'unruly', dependencies: { ms: '2.1.3' } },
        'node_modules/ms': lock.packages['node_modules/ms'],
      },
    }),
    'app.js': "console.log(require('ms')(60000))\n",
  });
  expect(await cli.run(['lock'], { cwd })).toMatchObject({ exitCode: 0 });
  commitAll(cwd, 'locked');
  expect(await cli.run(['run', 'install'], { cwd })).toMatchObject({ exitCode: 0 });
  expect(git(cwd, 'status', '--porcelain')).toBe('?? node_modules/');
  const { exitCode, stderr } = await cli.run(['image', '--release', '2.0.0'], { cwd });
  expect(exitCode, stderr).toBe(0);
  expect(await runImage(engine, `${name}:2.0.0`)).toBe('1m\n');
  writeFileSync(join(cwd, 'new.js'), '');
  const dirty = await cli.run(['image', '--release', '2.0.1'], { cwd });
  expect([dirty.exitCode, dirty.stderr.match(/^ {2}(?!try).*/gm)]).toEqual([2, ['  new.js']]);
});

test('nothing is written into a repository that has nothing of gbuild in it, until somebody asks for it', async () => {
  const headers =
    'for file in $(find . -type f -not -path "./.git/*"); do grep -q licence $file || { echo $file; exit 1; }; done';
  const manifest = {
    name,
    description: 'licence: MIT',
    scripts: { test: headers, start: 'node app.js' },
    engines: { node: '22' },
  };
  const cwd = cli.repository('untouched', {
    'package.json': JSON.stringify(manifest),
    'app.js': "// licence: MIT\nconsole.log('started')\n",
  });
  const run = async (...args: string[]) => {
    const { exitCode, stdout, stderr } = await cli.run(args, { cwd });
    return { exitCode, said: `${stdout}${stderr}` };
  };
  const first = await run('test');
  expect([first.exitCode, git(cwd, 'status', '--porcelain')], first.said).toEqual([0, '']);
  expect(first.said).toMatch(/^node@22 is node 22\.[\d.]+: remembered for this folder; "gbuild lock" writes it down$/m);
  const second = await run('test');
  expect([second.exitCode, second.said.includes('remembered for this folder')], second.said).toEqual([0, false]);
  const images = [await run('image', '--json'), await run('image', '--json')].map(
    ({ said }) => /"imageId": (.*),/.exec(said)?.[1],
  );
  expect([images[0], git(cwd, 'status', '--porcelain')]).toEqual([images[1], '']);
  const refused = [
    await run('test', '--frozen'),
    await run('lock', '--check'),
    await run('image', '--release', '1.0.0'),
  ];
  expect(
    refused.map(({ exitCode, said }) => [exitCode, said.includes('try: gbuild lock && git add gbuild.lock')]),
  ).toEqual(refused.map(() => [2, true]));
  const locked = await run('lock');
  expect([locked.exitCode, git(cwd, 'status', '--porcelain')], locked.said).toEqual([0, '?? gbuild.lock']);
  expect((await run('lock', '--check')).exitCode).toBe(0);
});

test('a project in a folder below, which a script of the installation installs, is in the image with its packages', async () => {
  const project = `${name}-below`;
  const cwd = cli.repository(project, {
    '.gitignore': 'node_modules/\npackage-lock.json\n',
    'package.json': JSON.stringify({
      name: project,
      scripts: { start: 'cd server && node main.js', postinstall: 'cd server && npm install' },
    }),
    'server/package.json': JSON.stringify({ name: 'server', dependencies: { 'is-number': '7.0.0' } }),
    'server/main.js': "console.log(String(require('is-number')(7)));\n",
  });
  const { exitCode, stderr } = await cli.run(['image', '--tag', 'tried'], { cwd });
  expect(exitCode, stderr).toBe(0);
  expect(await runImage(engine, `${project}:tried`)).toBe('true\n');
  await removeRepository(engine, project);
});

test('a start script of one command gets SIGTERM itself, and a PORT that the image exposes', async () => {
  const app = `process.on('SIGTERM', () => { console.log('asked'); process.exit(0); });
setInterval(() => {}, 1000);
console.log('ready for', process.argv[2], process.env.MODE);
`;
  const cwd = cli.repository('stopped', {
    'gbuild.yml': `gbuild: 1\nname: ${name}\ntoolchain: node@^24\n`,
    // biome-ignore lint/suspicious/noTemplateCurlyInString: a shell's.
    'package.json': JSON.stringify({ name: 'stopped', scripts: { start: 'MODE=x node app.js ${PORT:-3000}' } }),
    'app.js': app,
  });
  const { exitCode, stdout, stderr } = await cli.run(['image', '--json'], { cwd });
  expect(exitCode, stderr).toBe(0);
  const { reference } = JSON.parse(stdout) as ImageRecord;
  expect((await inspectImage(engine, reference))?.Config.ExposedPorts).toEqual({ '3000/tcp': {} });
  expect(await stopImage(engine, reference, 'ready')).toEqual({ exitCode: 0, output: 'ready for 3000 x\nasked\n' });
});
