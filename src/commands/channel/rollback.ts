import { rollBack } from '../../actions/channel/rollback.ts';
import {
  ChannelCommand,
  channelArg,
  channelFlags,
  entryKeyFlag,
  reasonFlag,
  summariseMove,
} from '../base/channel-command.ts';

export default class ChannelRollbackCommand extends ChannelCommand {
  static override summary = 'Return a channel to the release that it held before';
  static override description =
    'Rolling back twice goes further back. Nothing is built and nothing else is moved. Needs the registry alone: no engine, and with --name and --registry no repository.';
  static override args = { channel: channelArg };
  static override flags = { ...channelFlags, reason: reasonFlag, 'sign-key': entryKeyFlag };
  static override examples = [
    '<%= config.bin %> channel rollback production',
    '<%= config.bin %> channel rollback production --name acme/hello --registry registry.example.com',
  ];

  async run() {
    const { flags, args } = await this.parse(ChannelRollbackCommand);
    const { channel } = args;
    const record = await this.withChannels(flags, (context) => rollBack(context, { channel, reason: flags.reason }), {
      isAlone: true,
    });
    this.log(summariseMove(record));
    return record;
  }
}
