import { spawnSync } from 'node:child_process';
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { testCacheDir } from './cache-dir.ts';
import { askEngine } from './engine-http.ts';
import { makeOnce, runToEnd } from './make-once.ts';
import { installPackages, isInstalled } from './test-engine.ts';
import { timeStep } from './timings.ts';

/** A Debian root with a shell and core utilities, nothing else. */
export const baseImage = 'gbuild-test/base:bookworm';

/** A shell and what tests ask of it in 2 MB: made of busybox, for engines that are started for one test. */
export const smallImage = 'gbuild-test/small:bookworm';

export type Suite = 'bookworm' | 'trixie' | 'forky';

/** A suite's Debian root with its engines inside: see engine-generations.ts. */
export const engineImageOf = (suite: Suite) => `gbuild-test/engine:${suite}`;

/** The oldest engine that gbuild speaks to, and an ssh server for those who ask for one: see engine-container.ts, ssh-engine.ts. */
export const engineImage = engineImageOf('bookworm');

/** A fresh Debian machine with what everybody has: git, bash, CA roots. */
export const machineImage = 'gbuild-test/machine:bookworm';

const docker = ['docker.io', 'iptables', 'procps', 'iproute2'];
const podman = ['podman', 'buildah', 'runc', 'nftables', 'netavark', 'aardvark-dns'];
const rootless = ['uidmap', 'passt', 'slirp4netns', 'rootlesskit', 'fuse-overlayfs'];

const packages: Record<string, string[]> = {
  [baseImage]: [],
  [smallImage]: ['busybox-static'],
  [machineImage]: ['git', 'ca-certificates'],
  [engineImage]: [...docker, 'openssh-server'],
  [engineImageOf('trixie')]: [...docker, ...podman, ...rootless],
  // The one podman has an init to give to containers, the other none: both are met.
  [engineImageOf('forky')]: [...docker, ...podman, 'catatonit'],
};

const smallRoot = [
  'mkdir -p "$1/opt" "$1/root" "$1/run" "$1/proc" "$1/sys"',
  'chroot "$1" /bin/busybox --install -s /bin',
  'echo root:x:0:0:root:/root:/bin/sh >"$1/etc/passwd"',
  'echo root:x:0: >"$1/etc/group"',
];
const makeSmall = ['--variant=extract', `--extract-hook=${smallRoot.join(' && ')}`];

/** Makes sure that an engine has a test image. True when it had to be imported: whoever called may remove it again. */
export async function ensureTestImage(host: string, image: string): Promise<boolean> {
  if ((await askEngine(host, 'GET', `/images/${image}/json`)).status === 200) return false;
  const root = await ensureRoot(image);
  const [repo, tag] = image.split(':');
  const path = `/images/create?fromSrc=-&repo=${repo}&tag=${tag}&changes=${encodeURIComponent('CMD ["sh"]')}`;
  const { status, text } = await timeStep(`import ${image} into an engine`, () =>
    askEngine(host, 'POST', path, { body: createReadStream(root) }),
  );
  if (status !== 200 || text.includes('"error"')) throw new Error(`${host} did not import ${image}: ${text}`);
  return true;
}

export async function removeTestImage(host: string, image: string): Promise<void> {
  await askEngine(host, 'DELETE', `/images/${image}?force=1`);
}

/** The image's root as a tar of the same bytes every time, made once and kept. */
export function ensureRoot(image: string): Promise<string> {
  const include = packages[image]?.length ? [`--include=${packages[image].join(',')}`] : [];
  const suite = image.split(':')[1] ?? '';
  // A suite that is not released yet is no longer dated than its mirror is fresh.
  const undated = suite === 'forky' ? ['--aptopt=Acquire::Check-Valid-Until "false"'] : [];
  const variant = image === smallImage ? makeSmall : ['--variant=minbase'];
  return ensureRootTar(image, [...variant, ...undated, ...include], suite, () => readSources(suite));
}

/** What mmdebstrap makes of these options, suite and sources, made once and kept. */
export async function ensureRootTar(
  image: string,
  options: string[],
  suite: string,
  sources: () => string[],
  more: Record<string, string> = {},
): Promise<string> {
  const file = join(testCacheDir, `${image.replace(/\W+/g, '-')}.tar`);
  return makeOnce(file, `make the root of ${image}`, async (temporary) => {
    if (!isInstalled('mmdebstrap')) await installPackages(['mmdebstrap']);
    const env = { SOURCE_DATE_EPOCH: '315532801', ...more };
    // What is cut off by a power failure is not renamed: nothing need be flushed.
    const fast = '--dpkgopt=force-unsafe-io';
    await runToEnd('mmdebstrap', ['--format=tar', fast, ...options, suite, temporary, ...sources()], { env });
  });
}

/** The machine's own mirror, as apt knows it; of another suite than the machine's, its release alone. */
function readSources(suite: string): string[] {
  const format = '$(REPO_URI) $(RELEASE) $(COMPONENT)';
  const { stdout } = spawnSync('apt-get', ['indextargets', '--format', format], { encoding: 'utf8' });
  const lines = [...new Set(stdout.split('\n'))].filter((line) => /\sbookworm(-\S+)?\s/.test(line));
  if (suite === 'bookworm') return lines.map((line) => `deb ${line}`);
  return lines.filter((line) => /\sbookworm\s/.test(line)).map((line) => `deb ${line.replace('bookworm', suite)}`);
}
