import { type ShownChannel, showChannel } from '../../actions/channel/show-channel.ts';
import { readVerifyKey } from '../../actions/release/attest/verify-key.ts';
import { formatAge, formatDigest } from '../../reporter/format.ts';
import { ChannelCommand, channelArg, channelFlags, verifyKeyFlag } from '../base/channel-command.ts';
import { formatTable } from '../base/engine-command.ts';

export default class ChannelShowCommand extends ChannelCommand {
  static override summary = 'Show what a channel points at, since when, and what a rollback returns to';
  static override description =
    'With --key the newest entry must be signed with that key, and by its digests all that is before it. Needs no engine.';
  static override args = { channel: channelArg };
  static override flags = { ...channelFlags, key: verifyKeyFlag };
  static override examples = [
    '<%= config.bin %> channel show production',
    '<%= config.bin %> channel show production --key cosign.pub',
  ];

  async run() {
    const { flags, args } = await this.parse(ChannelShowCommand);
    const now = Date.now();
    const key = readVerifyKey(this.readHost(flags), flags.key);
    const shown = await this.withChannels(flags, (context) => showChannel(context, args.channel, key));
    this.logText(formatTable(describe(shown, flags.key, now)));
    return shown;
  }
}

function describe(shown: ShownChannel, keyFile: string | undefined, now: number): string[][] {
  const { channel, where, version, digest, imageIds, since, sequence, entry, before, tag, isTagRight, signed } = shown;
  const { by, reason } = shown.newest;
  const signature = signed ? `signed${keyFile === undefined ? ', not verified' : ` with ${keyFile}`}` : 'not signed';
  return [
    ['channel', `${channel} of ${where}`],
    ['release', `${version} (${digest})`],
    ...imageIds.map((id) => ['image', id]),
    ['since', `${since} (${formatAge((now - Date.parse(since)) / 1000)})`],
    ['entry', `${sequence} (${formatDigest(entry)}) by ${by}, ${signature}`],
    ...(reason === undefined ? [] : [['reason', reason]]),
    ['rollback', before === undefined ? 'held nothing before' : `returns to ${before}`],
    ...(tag === undefined ? [] : [['tag', describeTag(shown, tag, isTagRight)]]),
  ];
}

function describeTag({ channel, version }: ShownChannel, tag: string, isRight: boolean | undefined): string {
  return isRight ? tag : `${tag}, which names another image: gbuild channel set ${channel} ${version} moves it`;
}
