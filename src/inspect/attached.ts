import { attachmentTypes } from '../attest/attachments.ts';
import { cyclonedxMediaType } from '../attest/sbom/cyclonedx.ts';
import { spdxMediaType } from '../attest/sbom/spdx.ts';
import { bundleMediaType } from '../attest/signature/bundle.ts';
import { envelopeMediaType } from '../attest/signature/dsse.ts';
import { predicateTypes, statementMediaType } from '../attest/signature/statement.ts';
import type { Digest } from '../oci/digest.ts';

/** Document attached to an image in its registry. */
export interface Attached {
  /** Kind in plain words: `SBOM (SPDX)`, `provenance`, `signature`. */
  what: string;
  artifactType: string;
  /** Digest of its manifest. */
  digest: Digest;
  /** Facts of the provenance, unchecked. */
  facts?: Record<string, string>;
}

const words = new Map([
  [spdxMediaType, 'SBOM (SPDX)'],
  [cyclonedxMediaType, 'SBOM (CycloneDX)'],
  [statementMediaType, 'statement'],
  [bundleMediaType, 'sigstore bundle'],
  [attachmentTypes.signature, 'signature'],
  [attachmentTypes.attestation, 'signed attestations'],
]);

/** Describes an attachment by its artifact type, and by its predicate where known. */
export function describeArtifact(artifactType: string, predicateType: string | undefined): string {
  const what = words.get(artifactType) ?? 'artifact';
  if (predicateType === predicateTypes.provenance)
    return what === 'sigstore bundle' ? `provenance (${what})` : 'provenance';
  return what;
}

/** Summarizes a provenance statement, plain or in an envelope; undefined for anything else. Nothing is verified. */
export function summarizeProvenance(bytes: Uint8Array): Record<string, string> | undefined {
  const statement = openEnvelope(parse(bytes));
  if (read(statement, 'predicateType') !== predicateTypes.provenance) return undefined;
  const definition = read(statement, 'predicate', 'buildDefinition');
  const source = listOf(read(definition, 'resolvedDependencies')).find((each) => read(each, 'name') === 'source');
  const facts = {
    builder: read(statement, 'predicate', 'runDetails', 'builder', 'id'),
    'build type': read(definition, 'buildType'),
    version: read(definition, 'externalParameters', 'version'),
    toolchain: read(definition, 'externalParameters', 'toolchain'),
    source: read(source, 'uri'),
    commit: read(source, 'digest', 'gitCommit'),
  };
  return Object.fromEntries(
    Object.entries(facts).filter((pair): pair is [string, string] => typeof pair[1] === 'string'),
  );
}

/** Whether a layer of an artifact may hold a statement. */
export function mayHoldStatement(mediaType: string): boolean {
  return mediaType === statementMediaType || mediaType === envelopeMediaType;
}

function openEnvelope(value: unknown): unknown {
  const payload = read(value, 'payload');
  return typeof payload === 'string' ? parse(Buffer.from(payload, 'base64')) : value;
}

function parse(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch {
    return undefined;
  }
}

function read(value: unknown, ...keys: string[]): unknown {
  let found = value;
  for (const key of keys) {
    if (typeof found !== 'object' || found === null || !Object.hasOwn(found, key)) return undefined;
    found = (found as Record<string, unknown>)[key];
  }
  return found;
}

function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}
