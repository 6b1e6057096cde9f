import { Args } from '@oclif/core';
import { promote } from '../../actions/channel/promote.ts';
import {
  ChannelCommand,
  channelArg,
  channelFlags,
  entryKeyFlag,
  reasonFlag,
  summariseMove,
} from '../base/channel-command.ts';

export default class ChannelPromoteCommand extends ChannelCommand {
  static override summary = 'Take over the release of the channel before, once it has been there for long enough';
  static override description =
    'gbuild.yml says which channel is before (after) and how long it must have held the release (soak). The very same digest is taken over. Of two that promote at once one wins, and the other is told who. The same release again changes nothing. Needs no engine.';
  static override args = {
    channel: channelArg,
    version: Args.string({ description: 'version that the channel before must hold; by default whatever it holds' }),
  };
  static override flags = { ...channelFlags, reason: reasonFlag, 'sign-key': entryKeyFlag };
  static override examples = [
    '<%= config.bin %> channel promote production',
    '<%= config.bin %> channel promote production 1.0.1 --reason "a day without errors"',
  ];

  async run() {
    const { flags, args } = await this.parse(ChannelPromoteCommand);
    const { channel, version } = args;
    const record = await this.withChannels(flags, (context) =>
      promote(context, { channel, version, reason: flags.reason }),
    );
    this.log(summariseMove(record));
    return record;
  }
}
