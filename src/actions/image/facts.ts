import { join } from 'node:path';
import type { ProvenanceInput } from '../../attest/signature/provenance.ts';
import { readWhole } from '../../fs/read-bounded.ts';
import { type Digest, digestOf, isDigest } from '../../oci/digest.ts';
import { nameOfPlatform } from '../../oci/platform.ts';
import type { ImageConfig } from '../../oci/spec.ts';
import type { Revision } from '../../workspace/commit/revision.ts';
import type { WorkspaceSession } from '../session/context.ts';
import type { PreparedImage } from './prepare-image.ts';

/** Facts that a release was made of: its provenance without the image itself. */
export type ReleaseFacts = Omit<ProvenanceInput, 'subject' | 'builderId'>;

/** Facts that the labels of a release from another machine hold. */
export type LabelledFacts = Omit<ReleaseFacts, 'base' | 'buildImage' | 'toolVersion'>;

/** Annotation of a release in the store's index that holds its facts. */
export const factsAnnotation = 'io.gbuild.provenance';

export interface FactsInput extends PreparedImage {
  session: WorkspaceSession;
  installDir: string;
  revision: Revision;
}

/** Gathers the facts when the release is made: a later push may run in a folder without the repository. */
export function gatherFacts(input: FactsInput): ReleaseFacts {
  const { session, installDir, plan, packed, base, platformBases, revision, tasks } = input;
  const { toolchain, specFile, lock } = session;
  const { config } = packed.image;
  const platform = `${config.os}/${config.architecture}`;
  const otherBases = platformBases.map((each) => {
    const { engineId: digest, config } = each;
    return { reference: plan.base, digest, digestOf: 'config' as const, platform: nameOfPlatform(config) };
  });
  const lockDigest = plan.labels['io.gbuild.lock'] as Digest | undefined;
  const url = revision.sourceUrl;
  return {
    asked: {
      ...(plan.version !== undefined && { version: plan.version }),
      toolchain: toolchain.request,
      tasks,
      platform,
      ...(specFile !== undefined && { spec: digestOf(readWhole(specFile)) }),
    },
    resolved: {
      toolchain: { name: toolchain.name, version: toolchain.version, recipe: toolchain.recipe as Digest },
      created: plan.created,
    },
    source: { commit: revision.commit, ...(url !== undefined && { url }), dirty: revision.dirty.length > 0 },
    ...(lockDigest !== undefined && { lock: lockDigest }),
    buildImage: {
      reference: toolchain.build,
      digest: lock?.toolchain.platforms[platform]?.build as Digest,
      digestOf: 'config',
    },
    base: { reference: plan.base, digest: base.engineId, digestOf: 'config' },
    ...(otherBases.length > 0 && { otherBases }),
    toolVersion: readOwnVersion(installDir),
  };
}

export function parseFacts(text: string | undefined): ReleaseFacts | undefined {
  return text === undefined ? undefined : (JSON.parse(text) as ReleaseFacts);
}

/** Reads from an image's labels how gbuild made it; `undefined` where they hold too little. */
export function factsOfLabels({ config, os, architecture, created = '' }: ImageConfig): LabelledFacts | undefined {
  const labels = config.Labels ?? {};
  const [toolchain = '', recipe = '', lock = ''] = ['toolchain', 'recipe', 'lock'].map(
    (key) => labels[`io.gbuild.${key}`],
  );
  const { [`${ociLabels}revision`]: commit, [`${ociLabels}source`]: url } = labels;
  const [, name, version] = /^(.+)@(.+)$/.exec(toolchain) ?? [];
  if (name === undefined || version === undefined || commit === undefined || !isDigest(recipe)) return undefined;
  return {
    asked: { toolchain, tasks: [], platform: `${os}/${architecture}` },
    resolved: { toolchain: { name, version, recipe }, created },
    source: { commit, ...(url !== undefined && { url }), dirty: false },
    ...(isDigest(lock) && { lock }),
  };
}

const ociLabels = 'org.opencontainers.image.';

export function readOwnVersion(installDir: string): string {
  return (JSON.parse(readWhole(join(installDir, 'package.json')).toString()) as { version: string }).version;
}
