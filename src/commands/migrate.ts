import { migrateFile } from '../pipeline/write-spec.ts';
import { BaseCommand } from './base.ts';

export default class MigrateCommand extends BaseCommand {
  static override summary = 'Rewrite gbuild.yml for the newest version of its format, keeping comments';
  static override examples = ['<%= config.bin %> migrate', '<%= config.bin %> migrate --json'];

  async run() {
    const { flags } = await this.parse(MigrateCommand);
    const result = migrateFile(this.readHost(flags));
    this.log(
      result.changed
        ? `${result.file}: rewritten from version ${result.from} to ${result.to}`
        : `${result.file}: version ${result.to} already, nothing to do`,
    );
    return result;
  }
}
