import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ChannelContext, type ChannelsRequest, withChannels } from '../../../src/actions/channel/open-channels.ts';
import { pushStored } from '../../../src/actions/release/push/push-stored.ts';
import { openStore } from '../../../src/actions/store/store.ts';
import { keepBase, keepRelease, makeRelease } from '../store/store-release.ts';
import { hostIn, neverStop, recordProgress } from '../toolchains/host-in.ts';

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
