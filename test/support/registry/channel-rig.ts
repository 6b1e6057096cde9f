import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ChannelContext, type ChannelsRequest, withChannels } from '../../../src/actions/channel/open-channels.ts';
import { RegistryPlace } from '../../../src/actions/channel/registry-place.ts';
import { pushStored } from '../../../src/actions/release/push/push-stored.ts';
import { openStore } from '../../../src/actions/store/store.ts';
import { makeMark } from '../../../src/fs/writer-mark.ts';
import { keepBase, keepRelease, makeRelease } from '../store/store-release.ts';
import { hostIn, neverStop, recordProgress } from '../toolchains/host-in.ts';
import { openRig } from './registry-rig.ts';

export const channelSpec = `gbuild: 1
name: hello
toolchain: node@^22
deliver:
  channels:
    canary: {}
    production: {after: canary, soak: 1h, tag: production}
`;

/** Caller of channel commands with a clock that the test sets: a repository, a store, and perhaps a registry. */
export interface ChannelRig {
  dir: string;
  request(more?: Partial<ChannelsRequest>): ChannelsRequest;
  /** Runs work with the channels of `hello`. */
  run<T>(work: (context: ChannelContext) => Promise<T>, more?: Partial<ChannelsRequest>): Promise<T>;
  /** Moves the clock on by seconds. */
  wait(seconds: number): void;
  progress: ReturnType<typeof recordProgress>;
}

export function openChannelRig(dir: string, registry?: string, spec = channelSpec): ChannelRig {
  const cwd = join(dir, 'repository');
  mkdirSync(join(cwd, '.git'), { recursive: true });
  writeFileSync(join(cwd, 'gbuild.yml'), spec);
  const progress = recordProgress();
  let now = Date.parse('2026-12-01T12:00:00Z');
  let turn = 0;
  const request = (more: Partial<ChannelsRequest> = {}): ChannelsRequest => ({
    host: { ...hostIn(dir), env: { PATH: process.env.PATH, GIT_COMMITTER_NAME: 'Ada' }, cwd, startedAt: now },
    installDir: process.cwd(),
    progress,
    stop: neverStop(),
    runId: `run-${++turn}`,
    name: undefined,
    registry,
    keyFile: undefined,
    ...more,
  });
  return {
    dir,
    request,
    run: (work, more) => withChannels(request(more), work),
    wait: (seconds) => {
      now += seconds * 1000;
    },
    progress,
  };
}

/** Writes three releases of `hello` to the caller's store, and pushes them where a registry is given. */
export async function seedReleases(dir: string, registry?: string, name = 'hello'): Promise<void> {
  const host = hostIn(dir);
  const store = await openStore(host);
  await keepBase(store);
  for (const version of ['1.0.0', '1.0.1', '1.0.2']) {
    await keepRelease(store, `${name}:${version}`, makeRelease(version));
    if (registry === undefined) continue;
    const context = { host, installDir: process.cwd(), progress: recordProgress(), stop: neverStop() };
    const what = { tags: [], runId: `seed-${version}`, keyFile: undefined, attest: false };
    await pushStored({ ...context, ...what, release: `${name}:${version}`, registry });
  }
}

export interface ChannelPlaceOptions {
  /** Address of the registry, or of a proxy before it. */
  host: string;
  imageName?: string;
  declared?: ChannelContext['declared'];
  readCaller?: ChannelContext['readCaller'];
  /** Whether it runs at the same time as others, whose claims it must respect. */
  isAlive?: boolean;
  /** Time in milliseconds. */
  now?: number;
}

let run = 0;

/**
 * Opens channels in a registry with a client that does not sleep between its tries. Unless it is alive, its claims count
 * as those of a process that has died: what it leaves behind holds nobody up.
 */
export async function inRegistry<T>(options: ChannelPlaceOptions, work: (context: ChannelContext) => Promise<T>) {
  const { host, imageName = 'hello', declared = declaredChannels, now = Date.now() } = options;
  const { readCaller = async () => 'Ada', isAlive = false } = options;
  using rig = openRig({ settings: isAlive ? { sleep: (ms) => sleep(ms / 10) } : { attempts: 2 } });
  run += 1;
  const place = new RegistryPlace(rig.repository({ registry: host, path: imageName }), {
    ...{ imageName, flags: '', stop: neverStop(), onWait: () => {} },
    claimant: isAlive ? makeMark() : makeMark().replace(/^\d+-\w+/, '4194305-1'),
    readSigning: async () => ({}),
  });
  return await work({ place, declared, readCaller, now, run: `run-${run}` });
}

/** Channels of `channelSpec` without the time that a release has to stay. */
export const declaredChannels: ChannelContext['declared'] = {
  canary: {},
  production: { after: 'canary', tag: 'production' },
};
