import { cleanEngine } from '../actions/maintenance/clean-up.ts';
import { sweepFiles } from '../actions/maintenance/sweep-files.ts';
import { openEngine } from '../actions/session/open-engine.ts';
import { BaseCommand, engineFlags } from './base/base-command.ts';
import { newRunId } from './base/task-command.ts';

export default class CleanCommand extends BaseCommand {
  static override summary =
    'Remove what killed runs of gbuild left behind: containers, half-made images, temporary files';
  static override description =
    `Only things of runs whose process is dead are removed. Every run does the same by itself on the engine that it uses.`;
  static override flags = { ...engineFlags };
  static override examples = ['<%= config.bin %> clean', '<%= config.bin %> clean --json'];

  async run() {
    const { flags } = await this.parse(CleanCommand);
    const host = this.readHost(flags);
    const progress = this.openProgress(flags, host);
    // Files are removed before the engine is asked: a full disk may be why the engine does not run.
    const files = await sweepFiles(host);
    if (files.length > 0) progress.note(`removed ${files.length} files and folders that dead processes left`);
    const engine = await openEngine(host, flags, newRunId(), progress);
    try {
      const report = { ...(await cleanEngine(engine)), files };
      const { containers, images, volumes, networks, services } = report;
      const more = networks.length === 0 ? '' : `${networks.length} networks, `;
      const jobs = services.length > 0 ? `, ${services.length} jobs of the swarm` : '';
      this.log(
        `removed ${containers.length} containers, ${images.length} images, ${volumes.length} volumes, ${more}${files.length} files${jobs}`,
      );
      return report;
    } finally {
      engine.close();
    }
  }
}
