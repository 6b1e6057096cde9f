import { GbuildError } from '../../../errors.ts';
import { readSet } from '../../../oci/layout/image-set.ts';
import type { Layout } from '../../../oci/layout/layout.ts';
import { parseReference } from '../../../oci/reference.ts';
import { annotationKeys } from '../../../oci/spec.ts';
import { assertMovingTag } from '../../image/assert-releasable.ts';
import { factsAnnotation, parseFacts, readOwnVersion } from '../../image/facts.ts';
import type { AppContext } from '../../session/context.ts';
import { readCallersSpec } from '../../session/open-repository.ts';
import { noRegistry, parseRegistry } from '../../session/registry-name.ts';
import { findRelease } from '../../store/find-release.ts';
import { openStore } from '../../store/store.ts';
import { isVersion } from '../../store/stored-releases.ts';
import { type PushRecord, type PushRequest, pushTo } from './push.ts';

export interface PushStoredRequest extends Pick<PushRequest, 'stop' | 'tags' | 'runId'>, AppContext {
  /** Release such as `acme/hello:1.0.1`, or a version alone for the caller's repository. */
  release: string;
  registry: string | undefined;
  keyFile: string | undefined;
  attest: boolean;
}

/** Implements `gbuild push`: pushes a release of the store to a registry. Needs no engine and no repository. */
export async function pushStored(request: PushStoredRequest): Promise<PushRecord> {
  for (const tag of request.tags) assertMovingTag(tag);
  const { reference, registry } = await name(request);
  const { repository, tag: version, registry: host, digest } = parseReference(reference);
  const isRelease = version !== undefined && isVersion(version);
  if (!isRelease || host !== undefined || digest !== undefined) throw notAName(reference);
  const store = await openStore(request.host);
  const found = await findRelease({ name: repository, version, store });
  if (found === undefined) throw await notReleased(reference, store);
  const set = await readSet(store, found.descriptor);
  const facts = parseFacts(found.descriptor.annotations?.[factsAnnotation]);
  const { keyFile, installDir } = request;
  const attest = request.attest ? { facts, keyFile, toolVersion: readOwnVersion(installDir) } : undefined;
  return pushTo({ ...request, registry, set, repository, version, attest });
}

/** Reads from the caller's repository what the command line leaves out. */
async function name(request: PushStoredRequest): Promise<{ reference: string; registry: string }> {
  const { release, host } = request;
  const said = request.registry ?? host.env.GBUILD_REGISTRY;
  const isWhole = release.includes(':');
  if (isWhole && said) return { reference: release, registry: parseRegistry(said) };
  const spec = await readCallersSpec(request);
  const registry = said || spec.registry;
  if (registry === undefined) throw noRegistry();
  return { reference: isWhole ? release : `${spec.name}:${release}`, registry: parseRegistry(registry) };
}

function notAName(reference: string): GbuildError {
  return new GbuildError('usage', `${reference}: a release of the store is named NAME:VERSION, without a registry`, {
    suggestions: ['gbuild push hello:1.0.1 --registry registry.example.com'],
    facts: { reference },
  });
}

const mostShown = 5;

async function notReleased(reference: string, store: Layout): Promise<GbuildError> {
  const { manifests } = await store.readIndex();
  const names = manifests.map(({ annotations }) => annotations?.[annotationKeys.refName] ?? '');
  const colon = reference.lastIndexOf(':');
  const isOther = (name: string) => name.startsWith(reference.slice(0, colon + 1)) && isVersion(name.slice(colon + 1));
  const others = names.filter(isOther).slice(-mostShown);
  const hint = others.length === 0 ? '' : `; it has ${others.join(', ')}`;
  return new GbuildError('usage', `the release store ${store.dir} has no ${reference}${hint}`, {
    suggestions: [`gbuild image --release ${reference.slice(colon + 1)} --push`],
    facts: { reference, releases: others },
  });
}
