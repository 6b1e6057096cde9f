import { GbuildError } from '../../errors.ts';
import { type Digest, digestOf, hexOf } from '../../oci/digest.ts';
import { parseIndexBytes, parseManifestBytes, parseWholeIndex } from '../../oci/image/documents.ts';
import { formatCanonical } from '../../oci/json.ts';
import { type Descriptor, type Index, mediaTypes } from '../../oci/spec.ts';
import type { RepositoryContext } from '../auth/repository-context.ts';
import type { Answer } from '../http/requests.ts';
import { readManifest, writeManifest } from './manifests.ts';
import { mostPages, nextPage, pageNotUnderstood } from './tags.ts';

/** Lists referrers by the API, else by the fallback tag ("Listing Referrers" of the distribution-spec). */
export async function listReferrers(
  context: RepositoryContext,
  digest: Digest,
  artifactType?: string,
): Promise<Descriptor[]> {
  const found = (await askApi(context, digest, artifactType)) ?? (await readTagIndex(context, digest)).manifests;
  return artifactType === undefined ? found : found.filter((each) => each.artifactType === artifactType);
}

/**
 * Writes a manifest with a subject. Where the registry does not confirm the subject (`OCI-Subject`), the manifest is
 * added to the index of the subject's tag. Two concurrent writers can lose each other's entry on such a registry.
 */
export async function writeReferrer(context: RepositoryContext, bytes: Buffer, mediaType: string): Promise<Descriptor> {
  const blame = (fault: string) => new GbuildError('bug', `a manifest that gbuild made refers to nothing: ${fault}`);
  const { artifactType, config, annotations, subject } = parseManifestBytes(bytes, blame);
  const descriptor: Descriptor = {
    mediaType,
    digest: digestOf(bytes),
    size: bytes.length,
    artifactType: artifactType ?? config.mediaType,
    ...(annotations !== undefined && { annotations }),
  };
  const written = await writeManifest(context, descriptor.digest, bytes, mediaType);
  if (subject !== undefined && !written.subject) await addToTag(context, subject.digest, descriptor);
  return descriptor;
}

/** Asks the API; `undefined` where the registry has none. */
async function askApi(
  { connection, path, scopes }: RepositoryContext,
  digest: Digest,
  artifactType: string | undefined,
): Promise<Descriptor[] | undefined> {
  const what = `list what refers to ${path}@${digest}`;
  const filter = artifactType === undefined ? '' : `?artifactType=${encodeURIComponent(artifactType)}`;
  const found: Descriptor[] = [];
  let at: string | URL | undefined = `${path}/referrers/${digest}${filter}`;
  for (let page = 0; at !== undefined && page < mostPages; page += 1) {
    const headers = { Accept: mediaTypes.index };
    const request = { what, method: 'GET', at, scopes: scopes.pull, headers } as const;
    const answer: Answer & { bytes: Buffer } = await connection.read(request, [200, 404, 405]);
    if (answer.status !== 200) return undefined;
    found.push(...parseIndexBytes(answer.bytes, () => pageNotUnderstood(connection.registry, what)).manifests);
    at = nextPage(connection.place(what), answer);
  }
  return found;
}

async function addToTag(context: RepositoryContext, subject: Digest, descriptor: Descriptor): Promise<void> {
  const index = await readTagIndex(context, subject);
  if (index.manifests.some(({ digest }) => digest === descriptor.digest)) return;
  const bytes = formatCanonical({ ...index, manifests: [...index.manifests, descriptor] });
  await writeManifest(context, tagOf(subject), bytes, mediaTypes.index);
}

/** Reads the tag's index; an empty one where the tag is missing, or is no index. */
async function readTagIndex(context: RepositoryContext, digest: Digest): Promise<Index> {
  const found = await readManifest(context, tagOf(digest));
  const empty: Index = { schemaVersion: 2, mediaType: mediaTypes.index, manifests: [] };
  if (found?.descriptor.mediaType !== mediaTypes.index) return empty;
  return parseWholeIndex(found.bytes, () =>
    pageNotUnderstood(context.connection.registry, `give what refers to ${digest}`),
  );
}

/** Returns the fallback tag ("Referrers Tag Schema" of the distribution-spec). */
function tagOf(digest: Digest): string {
  return `sha256-${hexOf(digest)}`;
}
