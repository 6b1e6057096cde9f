import { parse, rcompare } from 'semver';
import { parseEntryTag } from '../../channel/entry-tag.ts';
import type { Digest } from '../../oci/digest.ts';
import type { Layout } from '../../oci/layout/layout.ts';
import { nameOfPlatform } from '../../oci/platform.ts';
import { annotationKeys, type Descriptor, type ImageConfig, mediaTypes } from '../../oci/spec.ts';
import { readStored, type StoredImage } from './store.ts';

/** Facts from a release's config, in any place: one for each platform of an index. */
export interface Release {
  name: string;
  version: string;
  /** Reference such as `name:version`. */
  reference: string;
  /** Digest of the config, the same in the store, on engines and in registries. */
  imageId: Digest;
  commit?: string;
  /** Time of the commit in RFC 3339. */
  created?: string;
  /** Base; `digest` is that of its manifest in the store that released the image. */
  base?: { name: string; digest: string };
  /** Release that the layers come from, as `name:version@image id`. */
  rebasedFrom?: string;
  /** Platform such as `linux/amd64`. */
  platform: string;
  diffIds: Digest[];
}

export interface StoredRelease extends Release {
  manifestDigest: Digest;
  /** Time of its last release here, in milliseconds. */
  keptAt: number;
}

/** Named image in the store: a release, or a movable tag. */
export interface NamedImage extends StoredRelease {
  isRelease: boolean;
}

const baseMark = 'gbuild-base:';

/** Reads the images of the index, except for the bases. Entries of channels are no images. */
export async function readNamed(store: Layout, manifests: readonly Descriptor[]): Promise<NamedImage[]> {
  const named = manifests.filter((each) => !isBase(each) && !isChannelEntry(each) && releaseNameOf(each).includes(':'));
  const images = await Promise.all(named.map((descriptor) => readImages(store, descriptor)));
  return images.flat();
}

async function readImages(store: Layout, descriptor: Descriptor): Promise<NamedImage[]> {
  const [name, version] = cutName(releaseNameOf(descriptor));
  const describe = ({ descriptor: { digest }, manifest, config }: StoredImage): NamedImage => ({
    ...describeRelease(name, version, manifest.config.digest, config),
    manifestDigest: digest,
    keptAt: store.readBlobTime(descriptor.digest) ?? 0,
    isRelease: isVersion(version),
  });
  const images = await readStored(store, descriptor);
  return images.filter(({ manifest }) => manifest.config.mediaType === mediaTypes.config).map(describe);
}

/** Lists the store's releases, of one name where it is given: by name, the newest version first. */
export async function listStored(store: Layout, name?: string): Promise<StoredRelease[]> {
  const { manifests } = await store.readIndex();
  const wanted = manifests.filter((each) => name === undefined || releaseNameOf(each).startsWith(`${name}:`));
  return (await readNamed(store, wanted)).filter(({ isRelease }) => isRelease).sort(compareReleases);
}

export function describeRelease(name: string, version: string, imageId: Digest, config: ImageConfig): Release {
  const labels = config.config.Labels ?? {};
  const label = (key: string) => labels[`org.opencontainers.image.${key}`];
  const [commit, base, digest] = [label('revision'), label('base.name'), label('base.digest')];
  const rebasedFrom = labels['io.gbuild.rebased-from'];
  return {
    name,
    version,
    reference: `${name}:${version}`,
    imageId,
    ...(commit !== undefined && { commit }),
    ...(config.created !== undefined && { created: config.created }),
    ...(base !== undefined && digest !== undefined && { base: { name: base, digest } }),
    ...(rebasedFrom !== undefined && { rebasedFrom }),
    platform: config.variant === undefined ? `${config.os}/${config.architecture}` : nameOfPlatform(config),
    diffIds: config.rootfs.diff_ids,
  };
}

/** Whether a tag is a release: an exact version as semver writes it. */
export function isVersion(tag: string): boolean {
  return parse(tag)?.version === tag;
}

type Place = Pick<Release, 'name' | 'version' | 'platform'>;

/** Compares by name, then the newest version first, then by platform. */
export function compareReleases(a: Place, b: Place): number {
  if (a.name !== b.name) return a.name < b.name ? -1 : 1;
  return rcompare(a.version, b.version) || (a.platform < b.platform ? -1 : 1);
}

export function isBase(descriptor: Descriptor): boolean {
  return releaseNameOf(descriptor).startsWith(baseMark);
}

export function isChannelEntry(descriptor: Descriptor): boolean {
  return parseEntryTag(cutName(releaseNameOf(descriptor))[1]) !== undefined;
}

export function releaseNameOf({ annotations }: Descriptor): string {
  return annotations?.[annotationKeys.refName] ?? '';
}

function cutName(reference: string): [string, string] {
  const colon = reference.lastIndexOf(':');
  return [reference.slice(0, colon), reference.slice(colon + 1)];
}
