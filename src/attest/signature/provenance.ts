import type { Digest } from '../../oci/digest.ts';
import { formatStatement, predicateTypes, type Subject } from './statement.ts';

/** Build type: docs/provenance.md describes the meaning of the parameters below. */
export const buildType = 'https://gbuild.io/provenance/image/v1';

/** Image by a digest of its content: of its config, or of its manifest. */
export interface UsedImage {
  reference: string;
  digest: Digest;
  digestOf: 'config' | 'manifest';
}

export interface ProvenanceInput {
  subject: Subject;
  /** Requested inputs: each is in the repository or on the command line. */
  asked: {
    version?: string;
    /** Toolchain such as `node@^22`. */
    toolchain: string;
    /** Tasks that ran, in order. */
    tasks: string[];
    platform: string;
    /** Digest of gbuild.yml, where it exists. */
    spec?: Digest;
  };
  /** Inputs as gbuild resolved them. */
  resolved: { toolchain: { name: string; version: string; recipe: Digest }; created: string };
  source: { commit: string; url?: string; dirty: boolean };
  /** Digest of gbuild.lock. */
  lock?: Digest;
  /** Unknown for a release that another machine made. */
  buildImage?: UsedImage;
  base: UsedImage;
  /** Bases for the platforms other than the build's. */
  otherBases?: (UsedImage & { platform: string })[];
  /** Release whose application layers were put on another base: nothing was built then. */
  rebasedFrom?: UsedImage;
  /** Id of the machine's builder; gbuild itself by default. */
  builderId?: string;
  toolVersion: string;
}

/**
 * Formats an in-toto statement of SLSA provenance v1. It depends neither on the machine nor on the day: equal input
 * gives equal bytes.
 */
export function formatProvenance(input: ProvenanceInput): Buffer {
  const { asked, resolved, toolVersion, builderId = 'https://gbuild.io/local' } = input;
  return formatStatement(input.subject, predicateTypes.provenance, {
    buildDefinition: {
      buildType,
      externalParameters: {
        ...(asked.version !== undefined && { version: asked.version }),
        toolchain: asked.toolchain,
        tasks: asked.tasks,
        platform: asked.platform,
        ...(asked.spec !== undefined && { spec: { path: 'gbuild.yml', digest: sha256(asked.spec) } }),
      },
      internalParameters: { toolchain: resolved.toolchain, created: resolved.created, dirty: input.source.dirty },
      resolvedDependencies: listDependencies(input),
    },
    runDetails: { builder: { id: builderId, version: { gbuild: toolVersion } } },
  });
}

/** Lists SLSA's ResourceDescriptors: each has a digest, and a URI where it can be fetched. */
function listDependencies({ source, lock, buildImage, base, otherBases = [], rebasedFrom }: ProvenanceInput) {
  const uri = source.url === undefined ? undefined : `git+${source.url}@${source.commit}`;
  return [
    { name: 'source', ...(uri !== undefined && { uri }), digest: { gitCommit: source.commit } },
    ...(lock === undefined ? [] : [{ name: 'gbuild.lock', digest: sha256(lock) }]),
    ...(buildImage === undefined ? [] : [describeImage('build image', buildImage)]),
    describeImage('base image', base),
    ...otherBases.map(({ platform, ...each }) => describeImage(`base image for ${platform}`, each)),
    ...(rebasedFrom === undefined ? [] : [describeImage('rebased release', rebasedFrom)]),
  ];
}

function describeImage(name: string, { reference, digest, digestOf }: UsedImage) {
  return { name, digest: sha256(digest), annotations: { reference, digestOf } };
}

function sha256(digest: Digest): { sha256: string } {
  return { sha256: digest.slice('sha256:'.length) };
}
