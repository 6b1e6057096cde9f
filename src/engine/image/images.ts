import { GbuildError } from '../../errors.ts';
import type { RunConfig } from '../../oci/spec.ts';
import { readField, readNumber, readText, readTexts } from '../answer/json.ts';
import { type EngineClient, messageIn } from '../client/client.ts';
import { EngineRefusalError, notUnderstood, readAnswerList } from '../client/failures.ts';

/** Image as an engine describes it. */
export interface EngineImage {
  /** Digest of the config, or of the manifest on the containerd store. */
  id: string;
  diffIds: string[];
  config: RunConfig;
  /** Time in RFC 3339, from the image's config. */
  created: string;
  tags: string[];
  repoDigests: string[];
  /** Size in bytes, uncompressed. */
  size: number;
  os: string;
  architecture: string;
}

/** Line of the engine's image list. */
export interface EngineImageSummary {
  id: string;
  tags: string[];
  labels: Record<string, string>;
  size: number;
}

/** Reads an image (GET /images/{ref}/json); `undefined` when it is missing. */
export async function inspectImage(client: EngineClient, reference: string): Promise<EngineImage | undefined> {
  const { status, json } = await client.call(
    { what: `inspect the image ${reference}`, method: 'GET', path: `/images/${reference}/json` },
    [200, 404],
  );
  if (status === 404) return undefined;
  const id = readText(json, 'Id');
  if (!id) throw notUnderstood(client.endpoint, `inspect the image ${reference}`);
  return {
    id,
    diffIds: readTexts(readField(json, 'RootFS'), 'Layers'),
    config: (readField(json, 'Config') ?? {}) as RunConfig,
    created: readText(json, 'Created') ?? '',
    tags: readTexts(json, 'RepoTags').map(shorten),
    repoDigests: readTexts(json, 'RepoDigests'),
    size: readNumber(json, 'Size') ?? 0,
    os: readText(json, 'Os') ?? 'linux',
    architecture: readText(json, 'Architecture') ?? '',
  };
}

/** Tags an image (POST /images/{source}/tag); a missing source is `image-missing`. */
export async function tagImage(client: EngineClient, source: string, target: string): Promise<void> {
  const { repo, tag } = splitTag(target);
  const { status } = await client.call(
    { what: `tag ${source} as ${target}`, method: 'POST', path: `/images/${source}/tag`, query: { repo, tag } },
    [201, 404],
  );
  if (status === 404) throw imageMissing(client, source);
}

/**
 * Removes an image (DELETE /images/{ref}) without pruning parents; a missing one is fine. Another tag of the same image
 * stays.
 */
export async function removeImage(client: EngineClient, reference: string): Promise<void> {
  await client.call(
    { what: `remove the image ${reference}`, method: 'DELETE', path: `/images/${reference}`, query: { noprune: true } },
    [200, 404],
  );
}

/** Lists images (GET /images/json) that have the label (`key` or `key=value`) and match the reference pattern. */
export async function listImages(
  client: EngineClient,
  filter: { label?: string; reference?: string },
): Promise<EngineImageSummary[]> {
  const filters = {
    ...(filter.label !== undefined && { label: [filter.label] }),
    ...(filter.reference !== undefined && { reference: [filter.reference] }),
  };
  const { json } = await client.call({
    what: 'list images',
    method: 'GET',
    path: '/images/json',
    query: { filters: JSON.stringify(filters) },
  });
  return readAnswerList(client, json, 'list images').map((each) => ({
    id: readText(each, 'Id') ?? '',
    tags: readTexts(each, 'RepoTags').map(shorten),
    labels: (readField(each, 'Labels') ?? {}) as Record<string, string>,
    size: readNumber(each, 'Size') ?? 0,
  }));
}

/** Shortens a tag: podman writes `docker.io/library/app:1`, or `localhost/app:1` for a loaded image. */
function shorten(tag: string): string {
  return tag.replace(/^(?:docker\.io\/library|docker\.io|localhost)\//, '');
}

/** Reports that the engine has no image of this reference. */
export function imageMissing(client: EngineClient, reference: string): GbuildError {
  return new GbuildError('image-missing', `the engine at ${client.endpoint.url} has no image ${reference}`, {
    suggestions: [`docker pull ${reference}`, 'gbuild doctor'],
    facts: { endpoint: client.endpoint.url, reference },
  });
}

/** Explains the refusal of a registry or an engine by its status. */
export function pullFailure(client: EngineClient, reference: string, status: number, text: string): GbuildError {
  const reason = messageIn(text);
  if (status === 404)
    return new GbuildError('image-missing', `no image ${reference} could be pulled: ${reason}`, {
      suggestions: ['check the name and the tag', `docker login   # if ${reference} is private`],
      facts: { reference, status },
    });
  if (status === 401 || status === 403)
    return new GbuildError('network-failed', `the registry of ${reference} refused this user: ${reason}`, {
      suggestions: ['docker login'],
      facts: { reference, status },
    });
  if (status >= 500 || status === 0) return pullBroken(client, reference, status, reason);
  return new EngineRefusalError(client.endpoint, `pull ${reference}`, status, reason);
}

/** Failures that the network did not cause, each with its suggestions. */
const lacks: [RegExp, string[]][] = [
  [
    // Docker before 23 reads a layer of zstd as a tar.
    /invalid tar header|zstd|(unknown|unsupported|unrecognized)\b.*\b(compress|media ?type)|mediatype/i,
    ['use an engine that reads zstd layers: Docker 23 or podman 4', 'or name an image whose layers are gzipped'],
  ],
  [/no matching manifest|does not match the (specified|expected) platform/i, ['name an image that has this platform']],
  [/no space left|disk quota/i, ["make room on the engine's disk: gbuild clean"]],
];

/** Explains a pull that the engine gave up: the network is blamed only where the reason leaves it open. */
function pullBroken(client: EngineClient, reference: string, status: number, reason: string): GbuildError {
  const lack = lacks.find(([pattern]) => pattern.test(reason))?.[1];
  return new GbuildError(
    lack === undefined ? 'network-failed' : 'engine-failed',
    `the engine at ${client.endpoint.url} could not pull ${reference}: ${reason}`,
    {
      suggestions: [...(lack ?? ["check the engine's network and proxy"]), 'gbuild doctor'],
      facts: { endpoint: client.endpoint.url, reference, status },
    },
  );
}

/** Splits a reference at its tag or digest; a port's colon stays in the repository. */
export function splitTag(reference: string): { repo: string; tag?: string } {
  const at = reference.indexOf('@');
  if (at >= 0) return { repo: reference.slice(0, at), tag: reference.slice(at + 1) };
  const colon = reference.lastIndexOf(':');
  if (colon <= reference.lastIndexOf('/')) return { repo: reference };
  return { repo: reference.slice(0, colon), tag: reference.slice(colon + 1) };
}
