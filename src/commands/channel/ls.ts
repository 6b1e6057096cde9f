import { type ListedChannel, listChannels } from '../../actions/channel/list-channels.ts';
import { formatAge, formatDigest } from '../../reporter/format.ts';
import { ChannelCommand, channelFlags } from '../base/channel-command.ts';
import { formatTable } from '../base/engine-command.ts';

export default class ChannelLsCommand extends ChannelCommand {
  static override summary = 'List the channels of an image: what each points at, and since when';
  static override description = 'Lists those of gbuild.yml, and all that hold something. Needs no engine.';
  static override flags = channelFlags;
  static override examples = [
    '<%= config.bin %> channel ls',
    '<%= config.bin %> channel ls --name acme/hello --registry registry.example.com --json',
  ];

  async run() {
    const { flags } = await this.parse(ChannelLsCommand);
    const now = Date.now();
    const channels = await this.withChannels(flags, listChannels);
    const rows = [headings, ...channels.map((each) => rowOf(each, now))];
    this.logText(channels.length === 0 ? 'no channels' : formatTable(rows));
    return { channels };
  }
}

const headings = ['CHANNEL', 'VERSION', 'DIGEST', 'AGE', 'BY', 'AFTER', 'TAG'];

function rowOf({ channel, pointer, declared }: ListedChannel, now: number): string[] {
  const after = declared?.after ?? '';
  if (pointer === undefined) return [channel, '(nothing yet)', '', '', '', after, declared?.tag ?? ''];
  if ('broken' in pointer) return [channel, '(cannot be trusted)', '', '', '', after, ''];
  const { version, digest, since, by, tag = '' } = pointer;
  const age = formatAge((now - Date.parse(since)) / 1000);
  return [channel, version, formatDigest(digest), age, by, after, declared?.tag ?? tag];
}
