import type { Digest } from '../../oci/digest.ts';
import { formatCanonical } from '../../oci/json.ts';

export const statementMediaType = 'application/vnd.in-toto+json';

/** Predicate types of attestations about an image. */
export const predicateTypes = {
  provenance: 'https://slsa.dev/provenance/v1',
  spdx: 'https://spdx.dev/Document',
  cyclonedx: 'https://cyclonedx.org/bom',
  signature: 'https://sigstore.dev/cosign/sign/v1',
} as const;

/** Image that a statement describes. */
export interface Subject {
  /** Repository, without a tag. */
  name: string;
  /** Digest of the manifest. */
  digest: Digest;
}

/** Statement of in-toto, v1. */
export interface Statement {
  _type: 'https://in-toto.io/Statement/v1';
  subject: { name: string; digest: { sha256: string } }[];
  predicateType: string;
  predicate: unknown;
}

export function formatStatement(subject: Subject, predicateType: string, predicate: unknown): Buffer {
  const statement: Statement = {
    _type: 'https://in-toto.io/Statement/v1',
    subject: [{ name: subject.name, digest: { sha256: subject.digest.slice('sha256:'.length) } }],
    predicateType,
    predicate,
  };
  return formatCanonical(statement);
}

/** Formats the statement about a document in JSON, such as an SBOM. */
export function formatDocumentStatement(subject: Subject, predicateType: string, document: Uint8Array): Buffer {
  return formatStatement(subject, predicateType, JSON.parse(Buffer.from(document).toString('utf8')));
}
