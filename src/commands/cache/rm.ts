import { Flags } from '@oclif/core';
import { removeCaches } from '../../actions/run/caches.ts';
import { GbuildError } from '../../errors.ts';
import { engineFlags } from '../base/base-command.ts';
import { EngineCommand } from '../base/engine-command.ts';

export default class CacheRmCommand extends EngineCommand {
  static override summary = 'Remove dependency caches from the engine; the next run fetches what it needs again';
  static override description =
    'NAME is a cache (npm: that of every user) or its volume. Other volumes are never touched.';
  static override usage = 'cache rm NAME... | --all';
  static override strict = false;
  static override flags = { ...engineFlags, all: Flags.boolean({ description: 'remove all' }) };
  static override examples = ['<%= config.bin %> cache rm npm', '<%= config.bin %> cache rm --all'];

  async run() {
    const { flags, argv } = await this.parse(CacheRmCommand);
    const names = argv as string[];
    if ((flags.all === true) === names.length > 0) throw whichCaches();
    const chosen = flags.all ? ('all' as const) : names;
    const removed = await this.withEngine(flags, ({ engine }) => removeCaches(engine, chosen));
    this.log(removed.length === 0 ? 'nothing to remove' : removed.map(({ volume }) => `removed ${volume}`));
    return { removed };
  }
}

function whichCaches(): GbuildError {
  return new GbuildError('usage', 'no cache is named: name some, or pass --all', {
    suggestions: ['gbuild cache ls', 'gbuild cache rm --all'],
  });
}
