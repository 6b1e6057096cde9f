import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type PublicKey, readPublicKey } from '../attest/key.ts';
import { ownerText } from '../engine/owner.ts';
import { GbuildError, messageOf } from '../errors.ts';
import { asStream } from '../oci/as-stream.ts';
import { findFirstDifference } from '../oci/first-difference.ts';
import type { Image } from '../oci/image.ts';
import { completeSet, formatIndex } from '../oci/image-set.ts';
import { nameOfPlatform } from '../oci/platform.ts';
import { formatReference, parseReference } from '../oci/reference.ts';
import { type RemoteImage, readLayer } from '../registry/pull-image.ts';
import { formatDigest } from '../reporter/format.ts';
import { askGit } from '../workspace/git.ts';
import { findRoot } from '../workspace/root.ts';
import { checkSignature, readProvenance } from './check-attestations.ts';
import { isIndex } from './choose-platform.ts';
import { withRegistries } from './open-registries.ts';
import { prepareImage } from './prepare-image.ts';
import { describeConfigs } from './refuse-release.ts';
import { openStore } from './release-store.ts';
import { type RemoteSet, readRemoteSet } from './remote-set.ts';
import type { RunRequest } from './run-named.ts';
import { withSpool } from './spools.ts';
import { openWorkspace, type Places } from './workspace-session.ts';

export interface VerifyRequest extends Places, Pick<RunRequest, 'engine' | 'progress' | 'stop' | 'runId' | 'streams'> {
  /** HOST/NAME:VERSION or HOST/NAME@sha256:... */
  reference: string;
  /** A public key; without one nobody is asked who says so. */
  keyFile: string | undefined;
  /** Whether to build it again. */
  rebuild: boolean;
}

/** What `--json` answers. */
export interface VerifyRecord {
  reference: string;
  digest: string;
  /** Of the first image, where the release is an index. */
  imageId: string;
  /** Of an index: the platforms of its images. */
  platforms?: string[];
  /** The key's file, where it was checked. */
  signedWith?: string;
  commit: string;
  /** Whether it was built again, to the very same image. */
  rebuilt: boolean;
}

/**
 * The story of `gbuild verify`: who says so, what it was made of, and whether that gives this image again. The recorded commit
 * is built in a folder of its own, with its own spec and lock, and nothing gets a name.
 */
export async function verifyRelease(request: VerifyRequest): Promise<VerifyRecord> {
  const { keyFile, host, progress, reference } = request;
  const key =
    keyFile === undefined ? undefined : readPublicKey(readText(resolve(host.cwd, keyFile)), { label: keyFile });
  return withRegistries(request, async (registries) => {
    const { registry, repository: path, tag, digest } = parseReference(reference);
    if (registry === undefined) throw noRegistryIn(reference);
    const remote = await readRemoteSet(registries.repository({ registry, path }), digest ?? tag ?? 'latest');
    const [first] = remote?.images ?? [];
    if (remote === undefined || first === undefined) throw notThere(reference);
    assertIndex(reference, remote);
    if (key === undefined) progress.warn('no --key: the provenance is taken as it stands there, whoever wrote it');
    if (key !== undefined) await checkSignature(remote, key);
    const commit = await readCommit(remote, key);
    if (request.rebuild) await rebuild(request, remote, commit);
    return {
      reference,
      digest: remote.descriptor.digest,
      imageId: first.manifest.config.digest,
      ...(isIndex(remote.descriptor) && { platforms: remote.images.map(({ config }) => nameOfPlatform(config)) }),
      ...(keyFile !== undefined && { signedWith: keyFile }),
      commit,
      rebuilt: request.rebuild,
    };
  });
}

/** The commit that the provenance names, and the label of every image too. */
async function readCommit(remote: RemoteSet, key: PublicKey | undefined): Promise<string> {
  const { predicate } = await readProvenance(remote, key);
  const { buildDefinition } = predicate as {
    buildDefinition?: { resolvedDependencies?: { name: string; digest: { gitCommit?: string } }[] };
  };
  const source = buildDefinition?.resolvedDependencies?.find(({ name }) => name === 'source');
  const commit = source?.digest.gitCommit ?? '';
  const labels = remote.images.map(({ config }) => config.config.Labels?.['org.opencontainers.image.revision']);
  const label = labels.find((each) => each !== commit) ?? labels[0];
  if (/^[0-9a-f]{40,64}$/.test(commit) && commit === label) return commit;
  throw new GbuildError(
    'signature-invalid',
    `the provenance of ${remote.repository.name} names the commit ${commit || '(none)'}, the image itself ${label ?? '(none)'}`,
    { facts: { commit, label } },
  );
}

async function rebuild(request: VerifyRequest, remote: RemoteSet, commit: string): Promise<void> {
  const { host, engine, progress } = request;
  const version = remote.images[0]?.config.config.Labels?.['org.opencontainers.image.version'] ?? '';
  await withSpool(host, `${ownerText(engine.owner)}.verify`, async (spoolDir) => {
    const clone = join(spoolDir, 'source');
    await cloneCommit(request, commit, clone);
    const places = { ...request, host: { ...host, cwd: clone } };
    const session = await openWorkspace(places, progress);
    const store = await openStore(host);
    const what = { ...places, session, version, build: true, outputs: [], frozen: 'always' as const };
    const set = completeSet((await prepareImage(what, store)).set, store);
    const [there, here] = [remote, set].map(({ images }) => images.map(({ config }) => nameOfPlatform(config)));
    if (there!.toSorted().join() !== here!.join()) throw otherPlatforms(request.reference, there!, here!, commit);
    for (const [at, image] of set.images.entries()) {
      const released = remote.images[there!.indexOf(here![at]!)]!;
      const { reference } = request;
      const name = set.images.length === 1 ? reference : `${reference} for ${here![at]}`;
      if (image.id !== released.manifest.config.digest) throw await otherImage(name, released, image, commit);
    }
  });
}

/** An index lists the release's images and nothing else: whatever is pulled by it is what was verified. */
function assertIndex(reference: string, { descriptor, images }: RemoteSet): void {
  if (!isIndex(descriptor) || formatIndex(images).descriptor.digest === descriptor.digest) return;
  throw new GbuildError(
    'release-refused',
    `${reference} is an index that gbuild did not write: it lists more, or says it otherwise, than the ${images.length} images in it`,
    { suggestions: [`gbuild inspect ${reference}`], facts: { reference, digest: descriptor.digest } },
  );
}

function otherPlatforms(reference: string, there: string[], here: string[], commit: string): GbuildError {
  return new GbuildError(
    'release-refused',
    `${reference} is for ${there.join(' and ')}, but ${commit.slice(0, 12)} gives ${here.join(' and ')}`,
    { suggestions: [`git show ${commit.slice(0, 12)}:gbuild.yml`], facts: { reference, there, here, commit } },
  );
}

/** From the repository around the caller: what is verified is what its owner has, not what somebody's document points to. */
async function cloneCommit({ host }: VerifyRequest, commit: string, clone: string): Promise<void> {
  const { rootDir } = findRoot(host.cwd, host.homeDir);
  const ask = (dir: string, ...args: string[]) => askGit(dir, args, host.env);
  const known = await ask(rootDir, 'cat-file', '-e', `${commit}^{commit}`);
  if (known.exitCode !== 0)
    throw new GbuildError('usage', `the commit ${commit} is not in the repository at ${rootDir}`, {
      suggestions: [
        'run it in a clone of the repository: git fetch --unshallow --tags',
        'gbuild verify --no-rebuild ...',
      ],
      facts: { commit, rootDir },
    });
  const top = (await ask(rootDir, 'rev-parse', '--show-toplevel')).stdout.trim();
  for (const [dir, ...args] of [
    [top, 'clone', '--quiet', '--no-checkout', '--shared', top, clone],
    [clone, 'checkout', '--quiet', '--detach', commit],
  ] as [string, ...string[]][]) {
    const { exitCode, stderr } = await ask(dir, ...args);
    if (exitCode !== 0)
      throw new GbuildError('workspace-unreadable', `git could not check out ${commit}: ${stderr.trim()}`, {
        facts: { commit },
      });
  }
}

/** What differs first: a file and its byte in the lowest layer that differs, else a setting. */
async function otherImage(reference: string, remote: RemoteImage, image: Image, commit: string): Promise<GbuildError> {
  const { config, manifest, repository } = remote;
  const at = image.layers.findIndex(({ diffId }, index) => diffId !== config.rootfs.diff_ids[index]);
  const layer = image.layers[at];
  const other = manifest.layers[at];
  const found =
    layer === undefined || other === undefined
      ? undefined
      : await findFirstDifference(readLayer(repository, other), asStream(layer.chunks()));
  const where =
    found === undefined
      ? describeConfigs(config, image.config).join('; ') || 'the number of layers, or times in the config'
      : `${layer?.createdBy}: ${found.path}: ${found.byte === undefined ? found.what.replace('the first', 'the release').replace('the second', 'the rebuilt image') : `byte ${found.byte}`}`;
  return new GbuildError(
    'release-refused',
    `${reference} is ${formatDigest(manifest.config.digest)}, but ${commit.slice(0, 12)} gives ${formatDigest(image.id)}; the first difference is in ${where}`,
    {
      suggestions: ['look whether the build writes times, random names or this machine into its output'],
      facts: { reference, released: manifest.config.digest, rebuilt: image.id, commit, ...found },
    },
  );
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new GbuildError('key-invalid', `the key ${file} cannot be read: ${messageOf(cause)}`, { cause });
  }
}

function noRegistryIn(reference: string): GbuildError {
  return new GbuildError('usage', `${reference}: what is verified stands in a registry: HOST/NAME:VERSION`, {
    suggestions: [`gbuild verify registry.example.com/${formatReference(parseReference(reference))} --key cosign.pub`],
    facts: { reference },
  });
}

function notThere(reference: string): GbuildError {
  const { registry, repository } = parseReference(reference);
  return new GbuildError('usage', `there is no ${reference}`, {
    suggestions: [`gbuild releases ${repository} --registry ${registry}`],
    facts: { reference },
  });
}
