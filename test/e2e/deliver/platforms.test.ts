import { afterAll, beforeAll, expect, test } from 'vitest';
import { openLayout } from '../../../src/oci/layout/layout.ts';
import { openCli } from '../../support/cli/cli.ts';
import { startRegistry, type TestRegistry } from '../../support/registry/registry.ts';
import { keepBase, keepRelease, makeRelease } from '../../support/store/store-release.ts';

const cli = openCli();
const [amd64, arm64] = [makeRelease('1.0.0'), makeRelease('1.0.0', { architecture: 'arm64' })];
let registry: TestRegistry;

beforeAll(async () => {
  registry = await startRegistry();
  const store = await openLayout(`${cli.dataDir}/store`);
  await keepBase(store);
  await keepRelease(store, 'acme/hello:1.0.0', amd64, arm64);
  await keepRelease(store, 'acme/hello:1.0.1', makeRelease('1.0.1'));
  const { exitCode, stderr } = await cli.run(['push', 'acme/hello:1.0.0', '--registry', registry.host]);
  expect(exitCode, stderr).toBe(0);
});
afterAll(async () => {
  await registry[Symbol.asyncDispose]();
  cli[Symbol.dispose]();
});

const deliver = async (...args: string[]) => {
  const { exitCode, stdout, stderr } = await cli.run(['deliver', ...args, '--registry', registry.host], {
    cwd: cli.dir,
  });
  const text = `${stdout}${stderr.slice(stderr.indexOf('error:'))}`;
  return [exitCode, cli.plain(text).replaceAll(registry.host, 'REGISTRY')] as const;
};

async function digestOf(tag: string): Promise<string> {
  const accept = 'application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json';
  const answer = await fetch(`http://${registry.host}/v2/acme/hello/manifests/${tag}`, { headers: { accept } });
  return answer.headers.get('docker-content-digest') ?? '';
}

async function readListed(): Promise<{ digest: string; platform: { architecture: string } }[]> {
  const headers = { accept: 'application/vnd.oci.image.index.v1+json' };
  const answer = await fetch(`http://${registry.host}/v2/acme/hello/manifests/1.0.0`, { headers });
  return ((await answer.json()) as { manifests: { digest: string; platform: { architecture: string } }[] }).manifests;
}

test('a target that takes an index gets its digest, and with --platform the one of an image', async () => {
  const [, whole] = await deliver('compose', 'acme/hello:1.0.0');
  expect(whole).toContain(`image: REGISTRY/acme/hello@${await digestOf('1.0.0')}\n`);
  const listed = await readListed();
  const wanted = listed.find(({ platform }) => platform.architecture === 'arm64');
  const [, one] = await deliver('compose', 'acme/hello:1.0.0', '--platform', 'linux/arm64');
  expect(one).toContain(`image: REGISTRY/acme/hello@${wanted?.digest}\n`);
});

test('an index is refused where the target takes one platform, and so is a platform that it does not have', async () => {
  expect(await deliver('elastic-beanstalk', 'acme/hello:1.0.0')).toMatchInlineSnapshot(`
    [
      2,
      "error: acme/hello:1.0.0 cannot be delivered to elastic-beanstalk: it takes one platform, and the release has linux/amd64, linux/arm64
      try: gbuild deliver elastic-beanstalk acme/hello:1.0.0 --platform linux/amd64
      try: gbuild deliver elastic-beanstalk acme/hello:1.0.0 --platform linux/arm64
    ",
    ]
  `);
  expect(await deliver('ionroller', 'acme/hello:1.0.0', '--platform', 'linux/arm64')).toMatchInlineSnapshot(`
    [
      2,
      "error: acme/hello:1.0.0 cannot be delivered to ionroller: it pulls by tag, which means the index of linux/amd64, linux/arm64
      try: leave out --platform: the machine that runs it takes its own
    ",
    ]
  `);
  expect(await deliver('compose', 'acme/hello:1.0.0', '--platform', 'linux/s390x')).toMatchInlineSnapshot(`
    [
      2,
      "error: acme/hello:1.0.0 cannot be delivered to compose: the release has linux/amd64, linux/arm64, not linux/s390x
      try: gbuild deliver compose acme/hello:1.0.0 --platform linux/amd64
      try: gbuild deliver compose acme/hello:1.0.0 --platform linux/arm64
    ",
    ]
  `);
});

test('a release that is only on this machine is refused where the target pulls, and a tag that moves everywhere', async () => {
  expect(await deliver('compose', 'acme/hello:1.0.1')).toMatchInlineSnapshot(`
    [
      2,
      "error: compose pulls the image, and REGISTRY does not have it: acme/hello:1.0.1 is only on this machine
      try: gbuild push acme/hello:1.0.1 --registry REGISTRY
    ",
    ]
  `);
  expect(await deliver('compose', 'acme/hello:latest')).toMatchInlineSnapshot(`
    [
      2,
      "error: acme/hello:latest: a release is named VERSION or NAME:VERSION; a tag that moves is none
      try: gbuild deliver compose 1.0.1
      try: gbuild releases
    ",
    ]
  `);
  expect(await deliver('compose', 'acme/hello:9.9.9')).toMatchInlineSnapshot(`
    [
      2,
      "error: there is no release acme/hello:9.9.9 in <dir>/data/gbuild/store and REGISTRY
      try: gbuild releases
      try: gbuild image --release 9.9.9 --push
    ",
    ]
  `);
  expect(await deliver('kubernets', 'acme/hello:1.0.0')).toMatchInlineSnapshot(`
    [
      2,
      "error: there is no target "kubernets"
      try: gbuild deliver kubernetes
      try: gbuild deliver --list   # what there is, and what each needs
    ",
    ]
  `);
});

test('another image under the version of the registry is refused', async () => {
  using other = openCli();
  const store = await openLayout(`${other.dataDir}/store`);
  await keepBase(store);
  await keepRelease(store, 'acme/hello:1.0.0', makeRelease('1.0.0', { text: 'another' }));
  const { exitCode, stderr } = await other.run(
    ['deliver', 'compose', 'acme/hello:1.0.0', '--registry', registry.host],
    {
      cwd: other.dir,
    },
  );
  expect([exitCode, stderr]).toEqual([
    2,
    expect.stringContaining('is another image than acme/hello:1.0.0 of this machine'),
  ]);
});
