import { digestOf } from '../oci/digest.ts';
import { formatCanonical } from '../oci/json.ts';
import { type Descriptor, mediaTypes } from '../oci/spec.ts';
import { type Artifact, type ArtifactParts, formatArtifact, formatCosignTag } from './artifact.ts';
import { cyclonedxMediaType } from './sbom/cyclonedx.ts';
import { spdxMediaType } from './sbom/spdx.ts';
import { bundleMediaType, formatBundle } from './signature/bundle.ts';
import { type Envelope, envelopeMediaType, formatEnvelope, signStatement } from './signature/dsse.ts';
import type { PrivateKey } from './signature/key.ts';
import { signatureAnnotation, signImage, simpleSigningMediaType } from './signature/simple-signing.ts';
import { formatDocumentStatement, formatStatement, predicateTypes, statementMediaType } from './signature/statement.ts';

/** Artifact types that cosign knows its own by. */
export const attachmentTypes = {
  signature: 'application/vnd.dev.cosign.artifact.sig.v1+json',
  attestation: 'application/vnd.dev.cosign.artifact.att.v1+json',
} as const;

/** File name of each document where somebody pulls it: tools ignore what has no name. */
const fileNames = { spdx: 'sbom.spdx.json', cyclonedx: 'sbom.cdx.json', provenance: 'provenance.json' } as const;

export interface AttachmentInput {
  /** The image's manifest. */
  subject: Descriptor;
  /** The image's repository, without a tag. */
  name: string;
  /** RFC 3339: the commit's time. */
  created: string;
  /** Documents as formatSpdx, formatCycloneDx and formatProvenance make them. */
  documents: { spdx?: Buffer; cyclonedx?: Buffer; provenance?: Buffer };
}

/** The documents as they are, each a referrer of its own type. Equal input gives equal artifacts. */
export function formatDocuments({ subject, created, documents }: AttachmentInput): Artifact[] {
  const { spdx, cyclonedx, provenance } = documents;
  const attach = (kind: keyof typeof fileNames, artifactType: string, bytes: Buffer | undefined) => {
    if (bytes === undefined) return [];
    const layer = {
      mediaType: artifactType,
      bytes,
      annotations: { 'org.opencontainers.image.title': fileNames[kind] },
    };
    const annotations = { ...createdAt(created), 'in-toto.io/predicate-type': predicateTypes[kind] };
    return [formatArtifact(subject, { artifactType, layers: [layer], annotations })];
  };
  return [
    ...attach('spdx', spdxMediaType, spdx),
    ...attach('cyclonedx', cyclonedxMediaType, cyclonedx),
    ...attach('provenance', statementMediaType, provenance),
  ];
}

/**
 * The image's signature and its attestations (the documents as signed statements) as cosign keeps them, every version of it:
 * two manifests that are referrers and bear cosign's tags besides. With ECDSA every call gives other signatures.
 */
export function signAttachments(input: AttachmentInput, key: PrivateKey): Artifact[] {
  const attestations = listStatements(input).map(([predicateType, statement]) => ({
    predicateType,
    envelope: signStatement(statement, key),
  }));
  return [formatSignature(input, key), ...(attestations.length === 0 ? [] : [formatAttestations(input, attestations)])];
}

/**
 * The same as sigstore bundles, each statement a referrer of its own. Where there are bundles cosign looks at nothing else,
 * and cosign 2 then wants a trusted root too, which it fetches or is given (`--trusted-root`).
 */
export function signBundles(input: AttachmentInput, key: PrivateKey): Artifact[] {
  const { subject, name } = input;
  const signature = formatStatement({ name, digest: subject.digest }, predicateTypes.signature, {});
  const statements: [string, Buffer][] = [[predicateTypes.signature, signature], ...listStatements(input)];
  return statements.map(([predicateType, statement]) =>
    formatBundleArtifact(input, predicateType, signStatement(statement, key), key),
  );
}

function listStatements({ subject: { digest }, name, documents }: AttachmentInput): [string, Buffer][] {
  const { spdx, cyclonedx, provenance } = documents;
  const about = (type: string, bytes: Buffer | undefined): [string, Buffer][] =>
    bytes === undefined ? [] : [[type, formatDocumentStatement({ name, digest }, type, bytes)]];
  return [
    ...about(predicateTypes.spdx, spdx),
    ...about(predicateTypes.cyclonedx, cyclonedx),
    ...(provenance === undefined ? [] : [[predicateTypes.provenance, provenance] as [string, Buffer]]),
  ];
}

function formatBundleArtifact(
  { subject, created }: AttachmentInput,
  predicateType: string,
  envelope: Envelope,
  key: PrivateKey,
): Artifact {
  return formatArtifact(subject, {
    artifactType: bundleMediaType,
    layers: [{ mediaType: bundleMediaType, bytes: formatBundle(envelope, key.publicKey) }],
    annotations: {
      ...createdAt(created),
      'dev.sigstore.bundle.content': 'dsse-envelope',
      'dev.sigstore.bundle.predicateType': predicateType,
    },
  });
}

function formatSignature({ subject, name, created }: AttachmentInput, key: PrivateKey): Artifact {
  const { payload, signature } = signImage({ name, digest: subject.digest }, key);
  const layer = {
    mediaType: simpleSigningMediaType,
    bytes: payload,
    annotations: { [signatureAnnotation]: signature },
  };
  return formatTagged(subject, created, 'signature', [layer]);
}

function formatAttestations(
  { subject, created }: AttachmentInput,
  attestations: { predicateType: string; envelope: Envelope }[],
): Artifact {
  const layers = attestations.map(({ predicateType, envelope }) => ({
    mediaType: envelopeMediaType,
    bytes: formatEnvelope(envelope),
    annotations: { [signatureAnnotation]: '', predicateType },
  }));
  return formatTagged(subject, created, 'attestation', layers);
}

/** A referrer and a tagged manifest in one; its config is an image's, for readers that know nothing of artifacts. */
function formatTagged(
  subject: Descriptor,
  created: string,
  kind: keyof typeof attachmentTypes,
  layers: ArtifactParts['layers'],
): Artifact {
  const artifactType = attachmentTypes[kind];
  const config = {
    architecture: '',
    os: '',
    created,
    config: {},
    rootfs: { type: 'layers', diff_ids: layers.map(({ bytes }) => digestOf(bytes)) },
  };
  return formatArtifact(subject, {
    artifactType,
    config: { mediaType: mediaTypes.config, bytes: formatCanonical(config) },
    layers,
    tag: formatCosignTag(subject.digest, kind === 'signature' ? 'sig' : 'att'),
  });
}

function createdAt(created: string): Record<string, string> {
  return { 'org.opencontainers.image.created': created };
}
