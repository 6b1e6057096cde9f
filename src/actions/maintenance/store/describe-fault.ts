import { parseEntryTag } from '../../../channel/entry-tag.ts';
import type { Digest } from '../../../oci/digest.ts';
import type { BlobFault } from './examine-store.ts';
import { findConfig, type SmallBlobs } from './small-blobs.ts';

const baseMark = 'gbuild-base:';

/** Describes a fault: `a layer of hello:1.0.1 (sha256:0123...)`. */
export function describeFault({ kind, digest, names }: BlobFault): string {
  const what = kind === 'layer' ? 'a layer' : `the ${kind}`;
  return `${what} of ${names.map(describeName).join(', ')} (${digest.slice(0, 19)})`;
}

function describeName(name: string): string {
  return name.startsWith(baseMark) ? `the base ${name.slice(baseMark.length, baseMark.length + 12)}` : name;
}

/** Advises on a name whose blobs no source has now. `digest` is the one that the name points to. */
export function adviseOn(name: string, digest: Digest | undefined, blobs: SmallBlobs): string[] {
  const forget = `gbuild doctor --fix --forget ${name}   # if nobody has it any more`;
  if (name.startsWith(baseMark))
    return ['gbuild lock   # or docker pull, so that the engine has the base; then gbuild doctor --fix', forget];
  if (parseEntryTag(name.slice(name.lastIndexOf(':') + 1)) !== undefined)
    return [`${forget}; its channel then goes on with: gbuild channel set CHANNEL VERSION --force --reason TEXT`];
  const id = blobs.manifests.find((each) => each.digest === digest)?.json.config.digest;
  const labels = (id && findConfig(id, blobs)?.config.Labels) ?? {};
  const commit = labels['org.opencontainers.image.revision']?.slice(0, 12) ?? 'ITS-COMMIT';
  const version = name.slice(name.lastIndexOf(':') + 1);
  return [
    `git checkout ${commit} && gbuild image --release ${labels['org.opencontainers.image.version'] ?? version}`,
    `gbuild doctor --fix --registry registry.example.com   # one that has ${name}`,
    forget,
  ];
}
