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

/** Artifact types by which cosign finds its attachments. */
export const attachmentTypes = {
  signature: 'application/vnd.dev.cosign.artifact.sig.v1+json',
  attestation: 'application/vnd.dev.cosign.artifact.att.v1+json',
} as const;

/** File name of each document for a pull: tools ignore layers without a name. */
const fileNames = { spdx: 'sbom.spdx.json', cyclonedx: 'sbom.cdx.json', provenance: 'provenance.json' } as const;

export interface AttachmentInput {
  /** Descriptor of the image's manifest. */
  subject: Descriptor;
  /** Repository of the image, without a tag. */
  name: string;
  /** Time of the commit in RFC 3339. */
  created: string;
  /** Documents from formatSpdx, formatCycloneDx and formatProvenance. */
  documents: { spdx?: Buffer; cyclonedx?: Buffer; provenance?: Buffer };
}

/** Formats the plain documents, each as a referrer with its own type. Equal input gives equal artifacts. */
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
 * Signs the image and its attestations (the documents as signed statements) for every version of cosign: two manifests
 * that are referrers and also have cosign's tags. ECDSA gives other signatures at each call.
 */
export function signAttachments(input: AttachmentInput, key: PrivateKey): Artifact[] {
  const attestations = listStatements(input).map(([predicateType, statement]) => ({
    predicateType,
    envelope: signStatement(statement, key),
  }));
  return [formatSignature(input, key), ...(attestations.length === 0 ? [] : [formatAttestations(input, attestations)])];
}

/**
 * Signs them as sigstore bundles, each statement as its own referrer. With bundles cosign reads nothing else, and
 * cosign 2 also requires a trusted root, which it fetches or gets (`--trusted-root`).
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

/** Formats a referrer that also has a tag; its config is an image's, for readers without support for artifacts. */
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
