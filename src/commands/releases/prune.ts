import { Args, Flags } from '@oclif/core';
import { type PruneReport, pruneReleases } from '../../actions/release/list/prune-releases.ts';
import { formatBytes } from '../../reporter/format.ts';
import { BaseCommand } from '../base/base-command.ts';

export default class ReleasesPruneCommand extends BaseCommand {
  static override summary = "Remove old releases from this machine's store, and what only they needed";
  static override description =
    'It keeps, of each name, the newest versions, the newest that is not a pre-release, recent releases, what a channel of this machine points at or would roll back to, and every image that a tag or another release needs. The registry and engines are never touched. It asks for confirmation; without a terminal it needs --force.';
  static override args = { name: Args.string({ description: 'releases of this name only' }) };
  static override flags = {
    keep: Flags.integer({ default: 10, min: 1, helpValue: 'N', description: 'keep this many versions of each name' }),
    'keep-days': Flags.integer({
      default: 30,
      min: 0,
      helpValue: 'DAYS',
      description: 'keep what was released here in the last N days',
    }),
    'dry-run': Flags.boolean({ description: 'only show what would be removed', exclusive: ['force'] }),
    force: Flags.boolean({ char: 'f', description: 'do not ask for confirmation' }),
  };
  static override examples = [
    '<%= config.bin %> releases prune --dry-run',
    '<%= config.bin %> releases prune --keep 3 --keep-days 90 --force',
  ];

  async run() {
    const { flags, args } = await this.parse(ReleasesPruneCommand);
    const host = this.readHost(flags);
    const report = await pruneReleases({
      host,
      progress: this.openProgress(flags, host),
      rules: { keep: flags.keep, keepDays: flags['keep-days'] },
      name: args.name,
      remove: flags['dry-run'] ? 'no' : flags.force ? 'yes' : 'ask',
      now: Date.now(),
    });
    this.log(summarise(report));
    return report;
  }
}

function summarise({ releases, held, blobs, bytes, isDone }: PruneReport): string[] {
  const kept = held.map(({ reference, channel }) => `kept ${reference}: the channel ${channel} needs it`);
  if (releases.length + blobs === 0) return [...kept, 'nothing to remove'];
  const verb = isDone ? 'removed' : 'would remove';
  const lines = releases.map((reference) => `${verb} ${reference}`);
  return [...kept, ...lines, `${isDone ? 'freed' : 'would free'} ${formatBytes(bytes)}`];
}
