import type { Artifact } from '../../../attest/artifact.ts';
import { type AttachmentInput, formatDocuments, signAttachments, signBundles } from '../../../attest/attachments.ts';
import { collectPackages } from '../../../attest/packages/collect-packages.ts';
import { cyclonedxMediaType, formatCycloneDx } from '../../../attest/sbom/cyclonedx.ts';
import { formatSpdx, spdxMediaType } from '../../../attest/sbom/spdx.ts';
import { bundleMediaType } from '../../../attest/signature/bundle.ts';
import type { PrivateKey } from '../../../attest/signature/key.ts';
import { formatProvenance } from '../../../attest/signature/provenance.ts';
import { statementMediaType } from '../../../attest/signature/statement.ts';
import type { Digest } from '../../../oci/digest.ts';
import type { Image } from '../../../oci/image/image.ts';
import { type ImageSet, isIndexed } from '../../../oci/layout/image-set.ts';
import { type Descriptor, type Manifest, mediaTypes } from '../../../oci/spec.ts';
import { pushBytes } from '../../../registry/image/push-image.ts';
import type { Repository } from '../../../registry/repository.ts';
import type { ReleaseFacts } from '../../image/facts.ts';
import { whyNotSigned } from './check-attestations.ts';
import type { Signing } from './signing-key.ts';

interface AttachInput {
  repository: Repository;
  /** Descriptor of the manifest as the registry has it, for an image or an index of images. */
  subject: Descriptor;
  /** Undefined for an index: each of its images gets an SBOM. */
  image: Image | undefined;
  /** Time in RFC 3339. */
  created: string;
  version: string;
  /** Undefined for a release of an older gbuild: it gets no provenance. */
  facts: ReleaseFacts | undefined;
  signing: Signing;
  toolVersion: string;
}

/**
 * Attaches an SBOM to each image, and provenance to the named manifest: the image itself where it is the only one. A
 * key signs each of them. Returns the types of the attachments.
 */
export async function attachToSet(
  set: ImageSet,
  there: { descriptor: Descriptor; images: { descriptor: Descriptor; manifest: Manifest }[] },
  input: Omit<AttachInput, 'subject' | 'image' | 'created'>,
): Promise<string[]> {
  const created = set.images[0]?.config.created ?? '1980-01-01T00:00:01Z';
  const attached: string[] = [];
  for (const image of set.images) {
    const { descriptor: subject } = there.images.find(({ manifest }) => manifest.config.digest === image.id)!;
    const facts = isIndexed(set) ? undefined : input.facts;
    attached.push(...(await attach({ ...input, facts, created, subject, image })));
  }
  const { descriptor: subject } = there;
  if (isIndexed(set)) attached.push(...(await attach({ ...input, created, subject, image: undefined })));
  return [...new Set(attached)];
}

/**
 * Attaches SBOM, provenance and, with a key, signatures to an image: each an artifact that refers to it. Existing
 * attachments stay; equal images get equal documents. Returns the types of the new attachments.
 */
async function attach(input: AttachInput): Promise<string[]> {
  const { repository, subject, image, facts, signing } = input;
  const there = new Set((await repository.listReferrers(subject.digest)).map(({ artifactType }) => artifactType));
  const documents = [
    ...(image === undefined ? [] : [spdxMediaType, cyclonedxMediaType]),
    ...(facts === undefined ? [] : [statementMediaType]),
  ];
  const lacks = documents.some((type) => !there.has(type));
  const { key, bundles = false } = signing;
  const sign = key !== undefined && !(await isSignedWith(input, key)) ? [signAttachments] : [];
  if (key !== undefined && bundles && !there.has(bundleMediaType)) sign.push(signBundles);
  if (!lacks && sign.length === 0) return [];
  const artifacts = (await formatAll(input, (about) => sign.flatMap((each) => each(about, key!)))).filter(
    ({ artifactType }) => !there.has(artifactType) || !documents.includes(artifactType),
  );
  for (const artifact of artifacts) await pushArtifact(repository, artifact);
  return artifacts.map(({ artifactType }) => artifactType);
}

async function formatAll(
  { repository, subject, image, version, created, facts, signing, toolVersion }: AttachInput,
  sign: (about: AttachmentInput) => Artifact[],
): Promise<Artifact[]> {
  const { name } = repository;
  const { digest } = subject;
  const { builderId } = signing;
  const provenance =
    facts && formatProvenance({ ...facts, subject: { name, digest }, ...(builderId !== undefined && { builderId }) });
  const documents = {
    ...(image && (await formatBills(image, { name, version, digest, created, toolVersion }))),
    ...(provenance !== undefined && { provenance }),
  };
  const input = { subject, name, created, documents };
  return [...formatDocuments(input), ...sign(input)];
}

interface BillsInput extends Pick<AttachInput, 'version' | 'created' | 'toolVersion'> {
  name: string;
  digest: Digest;
}

async function formatBills(image: Image, { created, toolVersion, ...named }: BillsInput) {
  const packages = await collectPackages(image);
  const { architecture } = image.config;
  const sbom = { image: { ...named, architecture }, packages, created, toolVersion };
  return { spdx: formatSpdx(sbom), cyclonedx: formatCycloneDx(sbom) };
}

/** Signs a manifest that is no image, such as an entry of a channel, in every form that a release is signed in. */
export async function signManifest({
  repository,
  subject,
  created,
  key,
  bundles,
}: Pick<AttachInput, 'repository' | 'subject' | 'created'> & { key: PrivateKey; bundles: boolean }): Promise<void> {
  const about = { subject, name: repository.name, created, documents: {} };
  const artifacts = [...signAttachments(about, key), ...(bundles ? signBundles(about, key) : [])];
  for (const artifact of artifacts) await pushArtifact(repository, artifact);
}

/** Pushes blobs first, then the manifest. The tag comes last, for tools that do not ask for referrers. */
async function pushArtifact(repository: Repository, { blobs, manifestBytes, tag }: Artifact): Promise<void> {
  for (const { bytes, ...blob } of blobs) await pushBytes(repository, bytes, { ...blob, size: bytes.length });
  await repository.writeReferrer(manifestBytes, mediaTypes.manifest);
  if (tag !== undefined) await repository.writeManifest(tag, manifestBytes, mediaTypes.manifest);
}

/** Whether this key has already signed the image: ECDSA makes another signature each time. */
async function isSignedWith({ repository, subject }: AttachInput, key: PrivateKey): Promise<boolean> {
  return (await whyNotSigned({ repository, descriptor: subject }, key.publicKey)) === undefined;
}
