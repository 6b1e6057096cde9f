import { dirname } from 'node:path';
import { GbuildError } from '../../errors.ts';
import { makeMark } from '../../fs/writer-mark.ts';
import type { Stop } from '../../host.ts';
import { isRepositoryName } from '../../oci/reference.ts';
import { silentProgress } from '../../reporter/progress.ts';
import type { ChannelSpec, Spec } from '../../spec/types.ts';
import type { AppContext } from '../session/context.ts';
import { withRegistries } from '../session/open-registries.ts';
import { readCallersSpec } from '../session/open-repository.ts';
import { parseRegistry } from '../session/registry-name.ts';
import { openStore } from '../store/store.ts';
import type { ChannelPlace } from './channel-place.ts';
import { RegistryPlace } from './registry-place.ts';
import { StorePlace } from './store-place.ts';

export interface ChannelsRequest extends AppContext {
  stop: Stop;
  /** Word that no other command uses. */
  runId: string;
  /** Name of the image; undefined for the caller's repository. */
  name: string | undefined;
  /** Registry from the command line; else GBUILD_REGISTRY or gbuild.yml may name one. */
  registry: string | undefined;
  /** Private key file to sign entries with, where the command line names one. */
  keyFile: string | undefined;
}

/** Channels of one image, opened for one command. */
export interface ChannelContext {
  place: ChannelPlace;
  /** Channels that gbuild.yml declares for this image; none without one. */
  declared: Record<string, ChannelSpec>;
  /** Reads who moves a channel. */
  readCaller: () => Promise<string>;
  /** Time in milliseconds. */
  now: number;
  /** Word that no other command uses. */
  run: string;
}

/**
 * Opens the channels of an image: in the registry that command line, environment or gbuild.yml names, else in this
 * machine's store. With name and registry given, `isAlone` reads no repository at all.
 */
export async function withChannels<T>(
  request: ChannelsRequest,
  work: (context: ChannelContext) => Promise<T>,
  { isAlone = false } = {},
): Promise<T> {
  const { host, name, registry, runId } = request;
  const said = registry ?? (host.env.GBUILD_REGISTRY || undefined);
  const spec = isAlone && name !== undefined && said !== undefined ? undefined : await findSpec(request);
  const imageName = name ?? spec?.name;
  if (imageName === undefined) throw noName();
  if (!isRepositoryName(imageName)) throw wrongName(imageName);
  const flags = `${name === undefined ? '' : ` --name ${name}`}${registry === undefined ? '' : ` --registry ${registry}`}`;
  const common = {
    declared: spec?.name === imageName ? spec.deliver.channels : {},
    readCaller: () => readCaller(request),
    now: host.startedAt,
    run: runId,
  };
  const address = said ?? spec?.registry;
  if (address === undefined) {
    const store = await openStore(host);
    return work({ ...common, place: new StorePlace(store, imageName, flags) });
  }
  const at = { registry: parseRegistry(address), path: imageName };
  return withRegistries(request, (registries) =>
    work({
      ...common,
      place: new RegistryPlace(registries.repository(at), { ...optionsOf(request), imageName, flags }),
    }),
  );
}

function optionsOf({ host, stop, progress, keyFile }: ChannelsRequest) {
  return {
    stop,
    claimant: makeMark(),
    readSigning: async () => {
      const { readSigning } = await import('../release/attest/signing-key.ts');
      return readSigning(host, keyFile);
    },
    onWait: () => progress.note('somebody else is moving the channel, or died while moving it; waiting'),
  };
}

/** Reads the spec around the caller; undefined where there is none. */
async function findSpec(request: ChannelsRequest): Promise<Spec | undefined> {
  const { cwd } = request.host;
  if (dirname(cwd) === cwd) return undefined;
  try {
    return await readCallersSpec({ ...request, progress: silentProgress });
  } catch (thrown) {
    if (thrown instanceof GbuildError && thrown.code === 'spec-missing') return undefined;
    throw thrown;
  }
}

const longestCaller = 200;

async function readCaller({ host }: ChannelsRequest): Promise<string> {
  const { readGitUser } = await import('../../workspace/git/git-user.ts');
  const user = await readGitUser(host.cwd, host.env);
  return (user ?? `${host.userName}@${host.hostname}`).slice(0, longestCaller);
}

function noName(): GbuildError {
  return new GbuildError('usage', 'nothing says which image the channels are of: there is no repository here', {
    suggestions: ['gbuild channel ls --name acme/hello --registry registry.example.com'],
  });
}

function wrongName(name: string): GbuildError {
  return new GbuildError('usage', `--name ${JSON.stringify(name)}: not the name of an image`, {
    suggestions: ['--name acme/hello   # lower-case, without registry and tag'],
    facts: { name },
  });
}
