import { cleanUp } from '../pipeline/clean-up.ts';
import { openEngine } from '../pipeline/engine-session.ts';
import { BaseCommand, engineFlags } from './base.ts';
import { newRunId } from './task-command.ts';

export default class CleanCommand extends BaseCommand {
  static override summary =
    'Remove what killed runs of gbuild left behind: containers, half-made images, temporary files';
  static override description =
    `Only things of runs whose process is dead are removed. Every run does the same by itself.`;
  static override flags = { ...engineFlags };
  static override examples = ['<%= config.bin %> clean', '<%= config.bin %> clean --json'];

  async run() {
    const { flags } = await this.parse(CleanCommand);
    const host = this.readHost(flags);
    const progress = this.openProgress(flags, host);
    const engine = await openEngine(host, flags, newRunId(), progress);
    try {
      const report = await cleanUp({ host, installDir: this.config.root }, engine);
      const { containers, images, volumes, networks, services, files } = report;
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
