import { Args } from '@oclif/core';
import { type AttachReport, attachRun } from '../actions/run/attach.ts';
import { engineFlags } from './base/base-command.ts';
import { openStop } from './base/stop.ts';
import { TaskCommand } from './base/task-command.ts';

export default class AttachCommand extends TaskCommand {
  static override summary = 'Go back to a run that lost its engine, and watch it to its end';
  static override description =
    "If the connection to a remote engine is lost for long, the task goes on there, and gbuild says how to get back to it. The output goes on where it stopped; the exit code is the task's own. An interrupt stops the task.";
  static override args = {
    run: Args.string({ description: 'id of the run, as gbuild printed it; optional if there is only one' }),
  };
  static override flags = { ...engineFlags };
  static override examples = ['<%= config.bin %> attach', '<%= config.bin %> attach 20261124120000000-0f1e2d3c'];

  async run(): Promise<AttachReport> {
    const { flags, args } = await this.parse(AttachCommand);
    const host = this.readHost(flags);
    const progress = this.openProgress(flags, host);
    using stop = openStop((text) => progress.warn(text));
    const { terminal: _, ...streams } = this.openStreams(host);
    const context = { host, installDir: this.config.root };
    return await attachRun({ ...context, runId: args.run, choice: flags, streams, progress, stop });
  }
}
