import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { askEngine } from '../engines/engine-http.ts';
import { installPackages, isInstalled } from '../engines/test-engine.ts';
import { testCacheDir } from '../runner/cache-dir.ts';
import { holdLock, makeOnce, runToEnd } from '../runner/make-once.ts';
import { timeStep } from '../runner/timings.ts';

/** Debian root with a shell and core utilities, nothing else. */
export const baseImage = 'gbuild-test/base:bookworm';

/**
 * Image of 2 MB with a shell and the tools that tests need: made of busybox, for engines that are started for one test.
 */
export const smallImage = 'gbuild-test/small:bookworm';

export type Suite = 'bookworm' | 'trixie' | 'forky';

/** Returns a suite's Debian root with its engines inside: see engine-generations.ts. */
export const engineImageOf = (suite: Suite) => `gbuild-test/engine:${suite}`;

/** Oldest engine that gbuild supports, with an optional ssh server: see engine-container.ts, ssh-engine.ts. */
export const engineImage = engineImageOf('bookworm');

/** Fresh Debian machine with common tools: git, bash, CA roots. */
export const machineImage = 'gbuild-test/machine:bookworm';

/** Machine of a deployer's fleet, with an engine inside: see test/support/deployers/deploy-host.ts. */
export const deployHostImage = 'gbuild-test/deploy-host:bookworm';

const docker = ['docker.io', 'iptables', 'procps', 'iproute2', 'mount', 'passwd'];
const podman = ['podman', 'buildah', 'runc', 'nftables', 'netavark', 'aardvark-dns'];
const rootless = ['uidmap', 'passt', 'slirp4netns', 'rootlesskit', 'fuse-overlayfs'];

const packages: Record<string, string[]> = {
  [baseImage]: [],
  [smallImage]: ['busybox-static'],
  [machineImage]: ['git', 'ca-certificates', 'mount', 'passwd'],
  [engineImage]: [...docker, 'openssh-server'],
  [deployHostImage]: [...docker, 'curl', 'socat', 'unzip'],
  [engineImageOf('trixie')]: [...docker, ...podman, ...rootless],
  // One podman has an init for containers, the other has none: both are tested.
  [engineImageOf('forky')]: [...docker, ...podman, 'catatonit'],
};

const smallRoot = [
  'mkdir -p "$1/opt" "$1/root" "$1/run" "$1/proc" "$1/sys"',
  'chroot "$1" /bin/busybox --install -s /bin',
  'echo root:x:0:0:root:/root:/bin/sh >"$1/etc/passwd"',
  'echo root:x:0: >"$1/etc/group"',
];
const makeSmall = ['--variant=extract', `--extract-hook=${smallRoot.join(' && ')}`];

/**
 * Ensures that an engine has a test image with today's options, replacing an older one. Returns true when it was
 * imported: the caller may then remove it.
 */
export async function ensureTestImage(host: string, image: string): Promise<boolean> {
  const recipe = recipeOf(optionsOf(image));
  if (await hasImage(host, image, recipe)) return false;
  const root = await ensureRoot(image);
  await using _ = await holdLock(`import ${image} into ${host}`);
  if (await hasImage(host, image, recipe)) return false;
  const [repo, tag] = image.split(':');
  const changes = encodeURIComponent('CMD ["sh"]');
  const path = `/images/create?fromSrc=-&repo=${repo}&tag=${tag}&message=${recipe}&changes=${changes}`;
  const { status, text } = await timeStep(`import ${image} into an engine`, () =>
    askEngine(host, 'POST', path, { body: createReadStream(root) }),
  );
  if (status !== 200 || text.includes('"error"')) throw new Error(`${host} did not import ${image}: ${text}`);
  return true;
}

/**
 * Whether the engine has the image. The containerd store keeps no comment; an engine with it is started fresh each
 * time.
 */
async function hasImage(host: string, image: string, recipe: string): Promise<boolean> {
  const { status, text } = await askEngine(host, 'GET', `/images/${image}/json`);
  return status === 200 && [recipe, ''].includes((JSON.parse(text) as { Comment?: string }).Comment ?? '');
}

export async function removeTestImage(host: string, image: string): Promise<void> {
  await askEngine(host, 'DELETE', `/images/${image}?force=1`);
}

/** Makes the image's root as a tar, once, with the same bytes every time. */
export function ensureRoot(image: string): Promise<string> {
  const suite = suiteOf(image);
  return ensureRootTar(image, optionsOf(image), suite, () => readSources(suite));
}

const suiteOf = (image: string) => image.split(':')[1] ?? '';

/** Documentation, translations and character sets that no test reads. */
const unread = ['share/doc', 'share/info', 'share/locale', 'share/man', 'lib/*/gconv'].map(
  (folder) => `--dpkgopt=path-exclude=/usr/${folder}/*`,
);

/** Options for essential packages and apt. The hook merges /usr first, so that perl is not needed for it. */
export const plainRoot = [
  '--variant=apt',
  '--include=usr-is-merged',
  '--hook-dir=/usr/share/mmdebstrap/hooks/maybe-merged-usr',
  ...unread,
];

/** Returns mmdebstrap's options for a test image. */
function optionsOf(image: string): string[] {
  const include = packages[image]?.length ? [`--include=${packages[image].join(',')}`] : [];
  // The release file of an unreleased suite may be older than its validity on a stale mirror.
  const undated = suiteOf(image) === 'forky' ? ['--aptopt=Acquire::Check-Valid-Until "false"'] : [];
  const variant = image === smallImage ? makeSmall : plainRoot;
  return [...variant, ...undated, ...include];
}

function recipeOf(options: string[]): string {
  return createHash('sha256').update(options.join('\n')).digest('hex').slice(0, 12);
}

/** Makes the tar of these options, suite and sources by mmdebstrap, once. */
export async function ensureRootTar(
  image: string,
  options: string[],
  suite: string,
  sources: () => string[],
  more: Record<string, string> = {},
): Promise<string> {
  const file = join(testCacheDir, `${image.replace(/\W+/g, '-')}-${recipeOf(options)}.tar`);
  return makeOnce(file, `make the root of ${image}`, async (temporary) => {
    if (!isInstalled('mmdebstrap')) await installPackages(['mmdebstrap']);
    const env = { SOURCE_DATE_EPOCH: '315532801', ...more };
    // Nothing needs a flush: a tar that a power failure truncates is not renamed.
    const fast = '--dpkgopt=force-unsafe-io';
    await runToEnd('mmdebstrap', ['--format=tar', fast, ...options, suite, temporary, ...sources()], { env });
  });
}

/** Reads the machine's own mirror from apt; for another suite than the machine's, only its release. */
function readSources(suite: string): string[] {
  const format = '$(REPO_URI) $(RELEASE) $(COMPONENT)';
  const { stdout } = spawnSync('apt-get', ['indextargets', '--format', format], { encoding: 'utf8' });
  const lines = [...new Set(stdout.split('\n'))].filter((line) => /\sbookworm(-\S+)?\s/.test(line));
  if (suite === 'bookworm') return lines.map((line) => `deb ${line}`);
  return lines.filter((line) => /\sbookworm\s/.test(line)).map((line) => `deb ${line.replace('bookworm', suite)}`);
}
