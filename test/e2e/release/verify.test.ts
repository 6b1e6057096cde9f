import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, inject, test } from 'vitest';
import { commitAll, git, openCli } from '../../support/cli/cli.ts';
import { listTags, removeRepository } from '../../support/engines/engine-images.ts';
import { anyProgram } from '../../support/images/any-program.ts';
import { type FaultProxy, startFaultProxy } from '../../support/network/fault-proxy.ts';
import { startRegistry, type TestRegistry } from '../../support/registry/registry.ts';

const engine = inject('engineHost');
const name = `e2e-verify-${process.pid}`;
const cli = openCli({ engine, toolchain: inject('baseImage') });
const auditor = openCli({ engine, toolchain: inject('baseImage') });
const env = { COSIGN_PASSWORD: 'of the tests' };
let registry: TestRegistry;
let proxy: FaultProxy;
let rootDir: string;
let clone: string;

/** Two layers: what is in the repository, and what the build makes; `moody` makes another file each time. */
const spec = (build: string) =>
  `tasks: {build: "${build}"}\nimage:\n  base: scratch\n  entrypoint: [/app/src/run.sh]\n  layers: [{name: made, from: [out]}, {name: application, from: [src]}]\n`;

beforeAll(async () => {
  registry = await startRegistry();
  proxy = await startFaultProxy(registry.host);
  rootDir = cli.tasks(name, spec('mkdir -p out && cat src/run.sh > out/copy'), {
    'src/run.sh': anyProgram,
    '.gitignore': 'out/\n',
  });
  expect((await cli.run(['lock'], { cwd: rootDir })).exitCode).toBe(0);
  commitAll(rootDir, 'locked');
  for (const pair of ['release', 'other']) await cli.run(['key', 'generate', pair], { cwd: cli.dir, env });
  const flags = ['--push', '--registry', proxy.host, '--sign-key', join(cli.dir, 'release.key')];
  const released = await cli.run(['image', '--release', '1.0.0', ...flags], { cwd: rootDir, env });
  expect(released.exitCode, released.stderr).toBe(0);
  writeFileSync(
    join(rootDir, 'gbuild.yml'),
    gbuildYml(spec('mkdir -p out && date +%N > out/now && cat src/run.sh > out/copy')),
  );
  commitAll(rootDir, 'moody');
  const moody = await cli.run(['image', '--release', '2.0.0', ...flags], { cwd: rootDir, env });
  expect(moody.exitCode, moody.stderr).toBe(0);
  clone = join(auditor.dir, 'clone');
  git('/', 'clone', '-q', rootDir, clone);
});
beforeEach(() => proxy.reset());
afterAll(async () => {
  await removeRepository(engine, name);
  await proxy[Symbol.asyncDispose]();
  await registry[Symbol.asyncDispose]();
  for (const each of [cli, auditor]) each[Symbol.dispose]();
});

const gbuildYml = (body: string) => `gbuild: 1\nname: ${name}\ntoolchain: ${inject('baseImage')}\n${body}`;

const plain = (text: string) =>
  auditor
    .plain(cli.plain(text))
    .replaceAll(name, 'NAME')
    .replaceAll(proxy.host, 'REGISTRY')
    .replaceAll(/\b[0-9a-f]{12,64}\b/g, 'ID')
    // Random bytes differ where they differ.
    .replace(/byte \d+/, 'byte N');

async function verify(tag: string, ...flags: string[]): Promise<string> {
  const args = ['verify', `${proxy.host}/${name}:${tag}`, ...flags];
  const { exitCode, stdout, stderr } = await auditor.run(args, { cwd: clone });
  const told = exitCode === 0 ? stdout : stderr.slice(stderr.indexOf('error:'));
  return `exit ${exitCode}\n${plain(told)}`;
}

const key = (pair = 'release') => ['--key', join(cli.dir, `${pair}.pub`)];

test('a release is verified by its key, its provenance, and by building it again where nobody built it before', async () => {
  const before = await listTags(engine, name);
  expect(await verify('1.0.0', ...key())).toMatchInlineSnapshot(`
    "exit 0
    REGISTRY/NAME:1.0.0 verified (ID, signed with <dir>/release.pub, built again from commit ID)
    "
  `);
  expect(git(clone, 'status', '--porcelain')).toBe('');
  expect(await listTags(engine, name)).toEqual(before);
});

test('without a key it says that it did not look who wrote the provenance', async () => {
  const { exitCode, stderr } = await auditor.run(['verify', `${proxy.host}/${name}:1.0.0`, '--no-rebuild'], {
    cwd: clone,
  });
  expect([exitCode, stderr]).toEqual([0, expect.stringContaining('no --key: the provenance is believed')]);
});

test('another key, an image nobody signed and one that is not there are told', async () => {
  expect(await verify('1.0.0', '--no-rebuild', ...key('other'))).toMatchInlineSnapshot(`
    "exit 2
    error: REGISTRY/NAME@sha256:ID is not signed with this key: the image sha256:ID was not signed with this key
      try: gbuild inspect REGISTRY/NAME@sha256:ID
    "
  `);
  expect(await verify('9.9.9', '--no-rebuild', ...key())).toMatchInlineSnapshot(`
    "exit 2
    error: there is no REGISTRY/NAME:9.9.9
      try: gbuild releases NAME --registry REGISTRY
    "
  `);
  const unsigned = ['image', '--release', '3.0.0', '--push', '--registry', proxy.host, '--no-attest'];
  expect((await cli.run(unsigned, { cwd: rootDir })).exitCode).toBe(0);
  expect(await verify('3.0.0', '--no-rebuild', ...key())).toMatchInlineSnapshot(`
    "exit 2
    error: REGISTRY/NAME@sha256:ID is not signed with this key: there is no signature
      try: gbuild inspect REGISTRY/NAME@sha256:ID
    "
  `);
  expect(await verify('3.0.0', '--no-rebuild')).toMatchInlineSnapshot(`
    "exit 2
    error: REGISTRY/NAME@sha256:ID has no provenance
      try: gbuild push NAME:VERSION   # from where it was released, which puts it there
    "
  `);
});

test('a build that gives another image is told with the first file and byte', async () => {
  expect(await verify('2.0.0', ...key())).toMatchInlineSnapshot(`
    "exit 2
    error: REGISTRY/NAME:2.0.0 is ID, but ID gives ID; the first difference is in gbuild layer: made: app/out/now: byte N
      try: look whether the build writes times, random names or this machine into its output
    "
  `);
});

test('a commit that the repository has not is told', async () => {
  const stranger = join(auditor.dir, 'stranger');
  git('/', 'init', '-q', stranger);
  writeFileSync(join(stranger, 'gbuild.yml'), gbuildYml(''));
  commitAll(stranger, 'nothing');
  const args = ['verify', `${proxy.host}/${name}:1.0.0`, ...key()];
  const { exitCode, stderr } = await auditor.run(args, { cwd: stranger });
  expect([exitCode, plain(stderr)]).toMatchInlineSnapshot(`
    [
      2,
      "error: the commit ID is not in the repository at <dir>/stranger
      try: run it in a clone of the repository: git fetch --unshallow --tags
      try: gbuild verify --no-rebuild ...
    ",
    ]
  `);
});

test('a release whose build reads a file of this machine is built again where its repository is trusted', async () => {
  for (const { dir } of [cli, auditor]) writeFileSync(join(dir, 'home/key'), 'key-value\n');
  const build = 'build: {run: mkdir -p out && cp src/run.sh out/copy && test -s /run/secrets/KEY, secrets: [KEY]}';
  const body = spec('').replace('build: ""', build);
  writeFileSync(join(rootDir, 'gbuild.yml'), gbuildYml(`secrets: {KEY: {file: ~/key}}\n${body}`));
  commitAll(rootDir, 'with a secret');
  await cli.run(['trust', '--force'], { cwd: rootDir });
  const flags = ['--push', '--registry', proxy.host, '--sign-key', join(cli.dir, 'release.key')];
  const released = await cli.run(['image', '--release', '5.0.0', ...flags], { cwd: rootDir, env });
  expect(released.exitCode, released.stderr).toBe(0);
  git(clone, 'pull', '-q');
  expect(await verify('5.0.0', ...key())).toMatch(
    /^exit 2\n.*secret KEY: the repository wants to read on this machine/,
  );
  await auditor.run(['trust', '--force'], { cwd: clone });
  expect(await verify('5.0.0', ...key())).toMatch(/^exit 0\n/);
});

test('a release of this machine is built again too, by its version alone, and needs no registry', async () => {
  const local = async (...args: string[]) => {
    const { exitCode, stdout, stderr } = await cli.run(['verify', ...args], { cwd: rootDir });
    return `exit ${exitCode}\n${plain(exitCode === 0 ? stdout : stderr.slice(stderr.indexOf('error:')))}`;
  };
  expect([
    await local('1.0.0'),
    await local(`${name}:2.0.0`),
    await local('9.9.9'),
    await local('1.0.0', '--key', 'a.pub'),
    await local('1.0.0', '--no-rebuild'),
  ]).toMatchInlineSnapshot(`
    [
      "exit 0
    NAME:1.0.0 verified (ID, signature not checked, built again from commit ID)
    ",
      "exit 2
    error: NAME:2.0.0 is ID, but ID gives ID; the first difference is in gbuild layer: made: app/out/now: byte N
      try: look whether the build writes times, random names or this machine into its output
    ",
      "exit 2
    error: there is no release NAME:9.9.9 on this machine
      try: gbuild releases
      try: gbuild verify registry.example.com/NAME:9.9.9 --key cosign.pub   # in a registry
    ",
      "exit 2
    error: --key a.pub: NAME:1.0.0 is on this machine, and signatures are in registries
      try: gbuild verify NAME:1.0.0
      try: gbuild verify registry.example.com/NAME:1.0.0 --key a.pub
    ",
      "exit 0
    NAME:1.0.0 found (ID, signature not checked, not built again from commit ID)
    ",
    ]
  `);
});
