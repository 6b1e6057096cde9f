import { type ChannelHistoryEntry, readHistory } from '../../actions/channel/show-channel.ts';
import { readVerifyKey } from '../../actions/release/attest/verify-key.ts';
import { formatDigest } from '../../reporter/format.ts';
import { ChannelCommand, channelArg, channelFlags, verifyKeyFlag } from '../base/channel-command.ts';
import { formatTable } from '../base/engine-command.ts';

export default class ChannelHistoryCommand extends ChannelCommand {
  static override summary = 'Show who moved a channel, when, from which release to which, and why; the newest first';
  static override description =
    'Reads and verifies every entry: each holds the digest of the one before. With --key each must be signed with that key. A chain that was changed is refused with exit code 2, after the part that can be trusted. Needs no engine.';
  static override args = { channel: channelArg };
  static override flags = { ...channelFlags, key: verifyKeyFlag };
  static override examples = [
    '<%= config.bin %> channel history production',
    '<%= config.bin %> channel history production --key cosign.pub --json',
  ];

  async run() {
    const { flags, args } = await this.parse(ChannelHistoryCommand);
    const key = readVerifyKey(this.readHost(flags), flags.key);
    const { entries, broken } = await this.withChannels(flags, (context) => readHistory(context, args.channel, key));
    if (entries.length > 0) this.logText(formatTable([headings, ...entries.map(rowOf)]));
    if (broken !== undefined) throw broken;
    return { channel: args.channel, entries };
  }
}

const headings = ['ENTRY', 'WHEN', 'WHO', 'WHAT', 'RELEASE', 'DIGEST', 'SIGNED', 'WHY'];

function rowOf(entry: ChannelHistoryEntry): string[] {
  const { sequence, at, by, kind, from, release, signed, reason = '', delivery } = entry;
  const { version, digest } = release;
  const step = kind === 'deliver' || from === undefined ? version : `${from} -> ${version}`;
  const what = delivery === undefined ? kind : `deliver ${delivery.target}`;
  return [String(sequence), at, by, what, step, formatDigest(digest), signed ? 'yes' : 'no', reason];
}
