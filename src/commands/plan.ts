import { Args, Flags } from '@oclif/core';
import { explainPlan, listTasks } from '../actions/inspect/explain-plan.ts';
import { BaseCommand } from './base/base-command.ts';

export default class PlanCommand extends BaseCommand {
  static override summary = 'Print what a run would do, and why; changes nothing';
  static override args = { task: Args.string({ default: 'test', description: 'task to plan, or "image"' }) };
  static override flags = { tasks: Flags.boolean({ description: 'print the names of all tasks, one on each line' }) };
  static override examples = [
    '<%= config.bin %> plan',
    '<%= config.bin %> plan build',
    '<%= config.bin %> plan image --json',
  ];

  async run() {
    const { flags, args } = await this.parse(PlanCommand);
    const host = this.readHost(flags);
    const progress = this.openProgress(flags, host);
    if (flags.tasks) {
      const tasks = await listTasks({ host, installDir: this.config.root });
      this.log(tasks);
      return { tasks };
    }
    const plan = await explainPlan({ host, installDir: this.config.root, progress }, args.task);
    this.logText(plan.text.trimEnd());
    return plan.data;
  }
}
