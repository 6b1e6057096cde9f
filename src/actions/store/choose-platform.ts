import { GbuildError } from '../../errors.ts';
import type { Host } from '../../host.ts';
import type { Digest } from '../../oci/digest.ts';
import { formatPlatform, nameOfPlatform } from '../../oci/platform.ts';
import { type Descriptor, type Index, mediaTypes, type Platform } from '../../oci/spec.ts';
import { nameManifest, parseIndex } from '../../registry/manifest/parse-manifest.ts';
import type { Repository } from '../../registry/repository.ts';

const architectures: Record<string, string> = { x64: 'amd64', ia32: '386' };

/** Reads `--platform`, else returns Linux on this machine's architecture. Throws `usage` for an invalid one. */
export function readPlatform({ host, platform }: { host: Host; platform?: string | undefined }): Platform {
  if (platform === undefined) return { os: 'linux', architecture: architectures[host.arch] ?? host.arch };
  const [, os, architecture, variant] = /^([a-z0-9]+)\/([a-z0-9]+)(?:\/([a-z0-9]+))?$/.exec(platform) ?? [];
  if (os !== undefined && architecture !== undefined) return { os, architecture, ...(variant && { variant }) };
  throw new GbuildError('usage', `--platform ${platform}: expected OS/ARCHITECTURE`, {
    suggestions: ['--platform linux/arm64'],
    facts: { platform },
  });
}

/**
 * Chooses the image of a tag: the image itself, or the platform's image of an index, with that index. Undefined where
 * the tag is missing.
 */
export async function choosePlatform(
  repository: Repository,
  tag: string,
  platform: Platform,
): Promise<{ chosen: Digest; index?: Descriptor } | undefined> {
  const found = await repository.readManifest(tag);
  if (found === undefined) return undefined;
  const { descriptor, bytes } = found;
  if (!isIndex(descriptor)) return { chosen: descriptor.digest };
  const { name, registry } = repository;
  const place = { name, registry, reference: tag };
  return { chosen: pickManifest(parseIndex(place, bytes), platform, nameManifest(place)), index: descriptor };
}

export function isIndex({ mediaType }: Descriptor): boolean {
  return mediaType === mediaTypes.index || mediaType === mediaTypes.dockerManifestList;
}

/** Returns the platform's manifest, or the only one. Throws `usage` with the available platforms. */
export function pickManifest({ manifests }: Index, platform: Platform, name: string): Digest {
  if (manifests.length === 1) return manifests[0]!.digest;
  const fits = manifests.find(
    ({ platform: each }) =>
      each?.os === platform.os &&
      each.architecture === platform.architecture &&
      (platform.variant === undefined || nameOfPlatform(each) === nameOfPlatform(platform)),
  );
  if (fits !== undefined) return fits.digest;
  const there = manifests
    .map(({ platform: each }) => each)
    .filter((each) => each !== undefined && each.os !== 'unknown');
  const names = there.map((each) => formatPlatform(each!));
  const has = names.length === 0 ? 'none' : names.join(', ');
  throw new GbuildError('usage', `${name} has no image for ${formatPlatform(platform)}; it has ${has}`, {
    suggestions: names.slice(0, 1).map((each) => `--platform ${each}`),
    facts: { name, platforms: names },
  });
}
