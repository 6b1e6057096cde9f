import { Args, Flags } from '@oclif/core';
import { setChannel } from '../../actions/channel/set-channel.ts';
import {
  ChannelCommand,
  channelArg,
  channelFlags,
  entryKeyFlag,
  reasonFlag,
  summariseMove,
} from '../base/channel-command.ts';

export default class ChannelSetCommand extends ChannelCommand {
  static override summary = 'Put a release on a channel';
  static override description =
    'The release must exist where the channel is: in the registry, or without one in the store of this machine. A channel that comes after another one in gbuild.yml gets its releases by "gbuild channel promote"; --force passes that by and needs --reason. The same release again changes nothing. Needs no engine.';
  static override args = {
    channel: channelArg,
    version: Args.string({ required: true, description: 'exact version of a release, e.g. 1.0.1' }),
  };
  static override flags = {
    ...channelFlags,
    reason: reasonFlag,
    force: Flags.boolean({ description: 'also if the channel comes after another one, or its history was changed' }),
    'sign-key': entryKeyFlag,
  };
  static override examples = [
    '<%= config.bin %> channel set canary 1.0.1 --reason "first users"',
    '<%= config.bin %> channel set canary 1.0.1 --name acme/hello --registry registry.example.com',
  ];

  async run() {
    const { flags, args } = await this.parse(ChannelSetCommand);
    const { force = false, reason } = flags;
    const record = await this.withChannels(flags, (context) => setChannel(context, { ...args, force, reason }));
    this.log(summariseMove(record));
    return record;
  }
}
