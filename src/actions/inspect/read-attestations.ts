import { formatCosignTag } from '../../attest/artifact.ts';
import { type Attached, describeArtifact, mayHoldStatement, summarizeProvenance } from '../../inspect/attached.ts';
import type { Descriptor } from '../../oci/spec.ts';
import type { RemoteImage } from '../../registry/image/pull-image.ts';
import { parseManifest } from '../../registry/manifest/parse-manifest.ts';
import type { Repository } from '../../registry/repository.ts';

const mostStatementBytes = 8 << 20;

/** Reads the attachments of an image in its registry: its referrers, and the tags that cosign writes. */
export async function readAttached({
  repository,
  descriptor,
}: Pick<RemoteImage, 'repository' | 'descriptor'>): Promise<Attached[]> {
  const found = new Map<string, Descriptor>();
  for (const each of await repository.listReferrers(descriptor.digest)) found.set(each.digest, each);
  for (const suffix of ['sig', 'att'] as const) {
    const tagged = await repository.headManifest(formatCosignTag(descriptor.digest, suffix));
    const artifactType = `application/vnd.dev.cosign.artifact.${suffix}.v1+json`;
    if (tagged !== undefined && !found.has(tagged.digest)) found.set(tagged.digest, { ...tagged, artifactType });
  }
  const attached = await Promise.all([...found.values()].map((each) => describe(repository, each)));
  return attached.sort((a, b) => (`${a.what} ${a.digest}` < `${b.what} ${b.digest}` ? -1 : 1));
}

async function describe(repository: Repository, descriptor: Descriptor): Promise<Attached> {
  const { digest, artifactType = '', annotations = {} } = descriptor;
  const predicateType = annotations['in-toto.io/predicate-type'] ?? annotations['dev.sigstore.bundle.predicateType'];
  const what = describeArtifact(artifactType, predicateType);
  // An attachment that cannot be read is listed without its facts.
  const facts = await readFacts(repository, descriptor).catch(() => undefined);
  return { what, artifactType, digest, ...(facts !== undefined && { facts }) };
}

/** Reads the first provenance among the layers. */
async function readFacts(repository: Repository, { digest }: Descriptor): Promise<Attached['facts'] | undefined> {
  const found = await repository.readManifest(digest);
  if (found === undefined) return undefined;
  const { name, registry } = repository;
  for (const layer of parseManifest({ name, registry, reference: digest }, found.bytes).layers) {
    if (!mayHoldStatement(layer.mediaType) || layer.size > mostStatementBytes) continue;
    const parts: Buffer[] = [];
    for await (const chunk of repository.readBlob(layer)) parts.push(chunk);
    const facts = summarizeProvenance(Buffer.concat(parts));
    if (facts !== undefined) return facts;
  }
  return undefined;
}
