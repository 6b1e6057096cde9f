import { type Digest, digestOf, isDigest } from '../oci/digest.ts';
import { formatCanonical, parseJsonObject } from '../oci/json.ts';
import { isRepositoryName } from '../oci/reference.ts';
import { mediaTypes } from '../oci/spec.ts';
import { isChannelName } from './entry-tag.ts';

export const entryArtifactType = 'application/vnd.gbuild.channel.v1+json';

/** Release that a channel points at. */
export interface ChannelRelease {
  version: string;
  /** Digest of the manifest or the index, in the place that has the channel. */
  digest: Digest;
  /** Digests of the configs: one, or one for each platform. */
  imageIds: Digest[];
}

/** Files that a target got. */
export interface Delivery {
  target: string;
  /** Kind of the target such as `compose`. */
  kind: string;
  files: { path: string; sha256: string }[];
}

export const entryKinds = ['set', 'promote', 'rollback', 'deliver'] as const;

/** Kind of an entry; `deliver` records a delivery and moves nothing. */
export type EntryKind = (typeof entryKinds)[number];

/** Link to an earlier entry of the chain. */
export interface EntryLink {
  sequence: number;
  digest: Digest;
}

/** Entry in the chain of a channel. */
export interface ChannelEntry {
  /** Name of the image such as `acme/hello`. */
  name: string;
  channel: string;
  /** Number in the chain, from 1. */
  sequence: number;
  /** Digest of the entry before. */
  previous?: Digest;
  kind: EntryKind;
  release: ChannelRelease;
  /** Time of the entry that put the release on the channel. `entry` is a link to it, unless it is this one. */
  since: { at: string; entry?: EntryLink };
  /** Entry that a rollback returns to. */
  back?: EntryLink;
  /** Caller such as `Ada <ada@example.org>` or `user@host`. */
  by: string;
  /** Time in RFC 3339, to the millisecond. */
  at: string;
  reason?: string;
  /** Moving tag of the registry that follows the channel. */
  tag?: string;
  delivery?: Delivery;
  /** Word that no other command uses: two callers never write the same entry. */
  run: string;
}

/** Entry as it was read, with the digest of its bytes. */
export interface KnownEntry {
  digest: Digest;
  entry: ChannelEntry;
}

/** Bytes of the config and the only layer: everything is in the manifest, so that one request reads an entry. */
export const entryConfigBytes: Buffer = Buffer.from('{}');

export const entryConfig = {
  mediaType: mediaTypes.empty,
  digest: digestOf(entryConfigBytes),
  size: entryConfigBytes.length,
};

const annotation = 'io.gbuild.channel';

/** Formats the manifest (OCI image-spec 1.1, an artifact) of an entry. Equal entries give equal bytes. */
export function formatEntry(entry: ChannelEntry): Buffer {
  return formatCanonical({
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    artifactType: entryArtifactType,
    config: entryConfig,
    layers: [entryConfig],
    annotations: {
      [annotation]: formatCanonical(entry).toString(),
      'org.opencontainers.image.created': entry.at,
    },
  });
}

/**
 * Parses an entry from an untrusted source; the error is that of `blame`. Only the bytes that formatEntry writes are
 * accepted: what was read has one meaning.
 */
export function parseEntry(bytes: Buffer, blame: (fault: string) => Error): KnownEntry {
  const { artifactType, annotations } = (parseJsonObject(bytes) ?? {}) as Record<string, unknown>;
  if (artifactType !== entryArtifactType) throw blame('it is not an entry of a channel');
  const written = fieldsOf(annotations)[annotation];
  const json = typeof written === 'string' ? parseJsonObject(written) : undefined;
  if (json === undefined) throw blame('it has no document');
  const found = readFields(json as Record<string, unknown>);
  if (typeof found === 'string') throw blame(found);
  if (!formatEntry(found).equals(bytes)) throw blame('it is not written as gbuild writes it');
  return { digest: digestOf(bytes), entry: found };
}

/** Returns the entry of a JSON object, or the first fault. */
function readFields(json: Record<string, unknown>): ChannelEntry | string {
  const { name, channel, sequence, previous, kind, release, since, back, by, at, reason, tag, delivery, run } = json;
  const checks: [boolean, string][] = [
    [isText(name, 255) && isRepositoryName(name), 'its name is no name of an image'],
    [isText(channel, 63) && isChannelName(channel), 'its channel has no valid name'],
    [isCount(sequence), 'its sequence is no number from 1'],
    [sequence === 1 ? previous === undefined : isText(previous, 71) && isDigest(previous), 'its previous is no digest'],
    [entryKinds.some((each) => each === kind), 'its kind is not known'],
    [isRelease(release), 'its release is not complete'],
    [isSince(since), 'its since is no entry'],
    [back === undefined || isLink(back), 'its back is no entry'],
    [isText(by, 200), 'its by is no text'],
    [isTime(at), 'its time is none'],
    [reason === undefined || isText(reason, longestReason), 'its reason is no text'],
    [tag === undefined || isText(tag, 128), 'its tag is no text'],
    [kind === 'deliver' ? isDelivery(delivery) : delivery === undefined, 'its delivery is not complete'],
    [isText(run, 100), 'its run is no text'],
  ];
  const fault = checks.find(([isRight]) => !isRight)?.[1];
  return fault ?? pickFields(json as unknown as ChannelEntry);
}

/** Leaves out what no entry has: foreign fields may be nested without end. */
function pickFields(json: ChannelEntry): ChannelEntry {
  const { name, channel, sequence, previous, kind, release, since, back, by, at, reason, tag, delivery, run } = json;
  return {
    ...{ name, channel, sequence, kind, by, at, run },
    release: { version: release.version, digest: release.digest, imageIds: release.imageIds },
    since: { at: since.at, ...(since.entry !== undefined && { entry: pickLink(since.entry) }) },
    ...(previous !== undefined && { previous }),
    ...(back !== undefined && { back: pickLink(back) }),
    ...(reason !== undefined && { reason }),
    ...(tag !== undefined && { tag }),
    ...(delivery !== undefined && { delivery: pickDelivery(delivery) }),
  };
}

function pickLink({ sequence, digest }: EntryLink): EntryLink {
  return { sequence, digest };
}

function pickDelivery({ target, kind, files }: Delivery): Delivery {
  return { target, kind, files: files.map(({ path, sha256 }) => ({ path, sha256 })) };
}

/** Longest reason in characters. */
export const longestReason = 1000;

function isText(value: unknown, most: number): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= most;
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 1 && value < 1e9;
}

function isTime(value: unknown): value is string {
  if (!isText(value, 30)) return false;
  const time = Date.parse(value);
  return Number.isFinite(time) && new Date(time).toISOString() === value;
}

function isRelease(value: unknown): boolean {
  const { version, digest, imageIds } = fieldsOf(value);
  const isId = (each: unknown) => isText(each, 71) && isDigest(each);
  return isText(version, 128) && isId(digest) && isList(imageIds) && imageIds.length > 0 && imageIds.every(isId);
}

function isSince(value: unknown): boolean {
  const { entry, at } = fieldsOf(value);
  return isTime(at) && (entry === undefined || isLink(entry));
}

function isLink(value: unknown): boolean {
  const { sequence, digest } = fieldsOf(value);
  return isCount(sequence) && isText(digest, 71) && isDigest(digest);
}

function isDelivery(value: unknown): boolean {
  const { target, kind, files } = fieldsOf(value);
  const isFile = (each: unknown) => {
    const { path, sha256 } = fieldsOf(each);
    return isText(path, 4096) && isText(sha256, 64) && /^[0-9a-f]{64}$/.test(sha256);
  };
  return isText(target, 100) && isText(kind, 100) && isList(files) && files.every(isFile);
}

/** Longest list in an entry: platforms of a release, files of a delivery. */
const mostItems = 10_000;

function isList(value: unknown): value is unknown[] {
  return Array.isArray(value) && value.length <= mostItems;
}

function fieldsOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
