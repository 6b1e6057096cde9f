import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { askEngine } from '../engines/engine-http.ts';
import { installPackages, isInstalled } from '../engines/test-engine.ts';
import { testCacheDir } from '../runner/cache-dir.ts';
import { holdLock, makeOnce, runToEnd } from '../runner/make-once.ts';
import { timeStep } from '../runner/timings.ts';

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

const docker = ['docker.io', 'iptables', 'procps', 'iproute2', 'mount', 'passwd'];
const podman = ['podman', 'buildah', 'runc', 'nftables', 'netavark', 'aardvark-dns'];
const rootless = ['uidmap', 'passt', 'slirp4netns', 'rootlesskit', 'fuse-overlayfs'];

const packages: Record<string, string[]> = {
  [baseImage]: [],
  [smallImage]: ['busybox-static'],
  [machineImage]: ['git', 'ca-certificates', 'mount', 'passwd'],
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

/**
 * Makes sure that an engine has a test image, and one of today's options where it has kept another. True when it had to be
 * imported: whoever called may remove it again.
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

/** The containerd store keeps no comment; an engine with one is started anew each time. */
async function hasImage(host: string, image: string, recipe: string): Promise<boolean> {
  const { status, text } = await askEngine(host, 'GET', `/images/${image}/json`);
  return status === 200 && [recipe, ''].includes((JSON.parse(text) as { Comment?: string }).Comment ?? '');
}

export async function removeTestImage(host: string, image: string): Promise<void> {
  await askEngine(host, 'DELETE', `/images/${image}?force=1`);
}

/** The image's root as a tar of the same bytes every time, made once and kept. */
export function ensureRoot(image: string): Promise<string> {
  const suite = suiteOf(image);
  return ensureRootTar(image, optionsOf(image), suite, () => readSources(suite));
}

const suiteOf = (image: string) => image.split(':')[1] ?? '';

/** Documentation, translations and character sets that no test reads. */
const unread = ['share/doc', 'share/info', 'share/locale', 'share/man', 'lib/*/gconv'].map(
  (folder) => `--dpkgopt=path-exclude=/usr/${folder}/*`,
);

/** What is essential and apt. The hook merges /usr beforehand, so that perl need not be there to do it. */
export const plainRoot = [
  '--variant=apt',
  '--include=usr-is-merged',
  '--hook-dir=/usr/share/mmdebstrap/hooks/maybe-merged-usr',
  ...unread,
];

/** mmdebstrap's for a test image. */
function optionsOf(image: string): string[] {
  const include = packages[image]?.length ? [`--include=${packages[image].join(',')}`] : [];
  // A suite that is not released yet is no longer dated than its mirror is fresh.
  const undated = suiteOf(image) === 'forky' ? ['--aptopt=Acquire::Check-Valid-Until "false"'] : [];
  const variant = image === smallImage ? makeSmall : plainRoot;
  return [...variant, ...undated, ...include];
}

function recipeOf(options: string[]): string {
  return createHash('sha256').update(options.join('\n')).digest('hex').slice(0, 12);
}

/** What mmdebstrap makes of these options, suite and sources, made once and kept. */
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
