import { listCaches } from '../../actions/run/caches.ts';
import { formatBytes } from '../../reporter/format.ts';
import { engineFlags } from '../base/base-command.ts';
import { EngineCommand, formatTable } from '../base/engine-command.ts';

export default class CacheLsCommand extends EngineCommand {
  static override summary = 'List the dependency caches on the engine, and how much room they take';
  static override flags = { ...engineFlags };
  static override examples = ['<%= config.bin %> cache ls', '<%= config.bin %> cache ls --json'];

  async run() {
    const { flags } = await this.parse(CacheLsCommand);
    const caches = await this.withEngine(flags, ({ engine }) => listCaches(engine));
    const rows = caches.map(({ name, volume, size, created }) => [
      name,
      volume,
      size === undefined ? '?' : formatBytes(size),
      created?.slice(0, 10) ?? '?',
    ]);
    this.logText(formatTable([['CACHE', 'VOLUME', 'SIZE', 'SINCE'], ...rows]));
    return { caches };
  }
}
