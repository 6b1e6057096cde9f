import { migrateFile } from '../actions/session/write-spec-file.ts';
import { BaseCommand } from './base/base-command.ts';

export default class MigrateCommand extends BaseCommand {
  static override summary = 'Rewrite gbuild.yml for the newest version of its format, keeping comments';
  static override examples = ['<%= config.bin %> migrate', '<%= config.bin %> migrate --json'];

  async run() {
    const { flags } = await this.parse(MigrateCommand);
    const host = this.readHost(flags);
    const context = { host, installDir: this.config.root, progress: this.openProgress(flags, host) };
    const result = await migrateFile(context);
    this.log(
      result.changed
        ? `${result.file}: rewritten from version ${result.from} to ${result.to}`
        : `${result.file}: version ${result.to} already, nothing to do`,
    );
    return result;
  }
}
