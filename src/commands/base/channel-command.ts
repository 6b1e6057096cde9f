import { Args, Flags } from '@oclif/core';
import type { ChannelRecord } from '../../actions/channel/channel-record.ts';
import { type ChannelContext, withChannels } from '../../actions/channel/open-channels.ts';
import { formatDigest } from '../../reporter/format.ts';
import { BaseCommand } from './base-command.ts';
import { openStop } from './stop.ts';
import { newRunId } from './task-command.ts';

export const channelArg = Args.string({ required: true, description: 'name of the channel, e.g. production' });

/** Flags that say whose channels and where. */
export const channelFlags = {
  name: Flags.string({
    helpValue: 'IMAGE',
    description: 'name of the image, e.g. acme/hello; by default that of the repository here',
  }),
  registry: Flags.string({
    helpValue: 'HOST[:PORT]',
    description:
      "registry that has the channels; by default GBUILD_REGISTRY, or registry in gbuild.yml, else this machine's store",
  }),
};

export const reasonFlag = Flags.string({
  helpValue: 'TEXT',
  description: 'why, for the history',
});

/** Flag of the commands that write an entry. */
export const entryKeyFlag = Flags.string({
  helpValue: 'FILE',
  description: 'private key to sign the entry with; by default GBUILD_SIGNING_KEY, or signing.key in config.yml',
});

/** Flag of the commands that verify entries. */
export const verifyKeyFlag = Flags.string({
  helpValue: 'FILE',
  description: 'public key that must have signed, e.g. cosign.pub',
});

export interface ChannelCommandFlags {
  directory?: string | undefined;
  quiet: boolean;
  verbose: boolean;
  name?: string | undefined;
  registry?: string | undefined;
  'sign-key'?: string | undefined;
}

/** Command on the channels of one image. It needs no engine. */
export abstract class ChannelCommand extends BaseCommand {
  /** Opens the channels, listens to signals during the work, and closes what it opened. */
  protected withChannels<T>(
    flags: ChannelCommandFlags,
    work: (context: ChannelContext) => Promise<T>,
    options: { isAlone?: boolean } = {},
  ): Promise<T> {
    const host = this.readHost(flags);
    const progress = this.openProgress(flags, host);
    const stop = openStop((text) => progress.warn(text));
    const { name, registry, 'sign-key': keyFile } = flags;
    const request = { host, installDir: this.config.root, progress, stop, runId: newRunId(), name, registry, keyFile };
    return withChannels(request, work, options).finally(() => stop[Symbol.dispose]());
  }
}

/** Returns the line of a command that moves a channel. */
export function summariseMove({ channel, version, digest, sequence, kind, from, changed, tag }: ChannelRecord): string {
  const entry = `(${formatDigest(digest)}, entry ${sequence})`;
  if (!changed) return `${channel} holds ${version} already ${entry}`;
  const step = from === undefined ? version : `${from} -> ${version}`;
  const follows = tag === undefined ? '' : `; the tag ${tag} follows`;
  return `${channel}: ${kind === 'rollback' ? 'rolled back, ' : ''}${step} ${entry}${follows}`;
}
