import { Args } from '@oclif/core';
import { listTasks } from '../actions/inspect/explain-plan.ts';
import { GbuildError } from '../errors.ts';
import { publishFlag, readPublished } from './base/publish-flag.ts';
import { isSharded, shardFlags } from './base/shard-flags.ts';
import { TaskCommand, taskFlags } from './base/task-command.ts';

export default class RunCommand extends TaskCommand {
  static override summary = 'Run any task of gbuild.yml, and the tasks it needs, in the build container';
  static override description =
    "Arguments after -- are passed to the task. The exit code is the task's own. gbuild plan --tasks lists the tasks.";
  static override args = { task: Args.string({ description: 'name of the task' }) };
  static override flags = { ...taskFlags, ...publishFlag, ...shardFlags };
  static override usage = 'run TASK [FLAGS] [-- ARGUMENT...]';
  static override examples = [
    '<%= config.bin %> run lint',
    '<%= config.bin %> run test -- test/login.test.js',
    '<%= config.bin %> run report --quiet > report.txt',
    '<%= config.bin %> run start --publish 3000',
  ];
  static override strict = false;

  async run() {
    const { flags, argv } = await this.parse(RunCommand);
    const [task, ...args] = argv as string[];
    if (task === undefined) throw noTask(await listTasks({ host: this.readHost(flags), installDir: this.config.root }));
    if (isSharded(flags)) return this.runShards(flags, [task], args);
    return this.runTasks(flags, [task], args, readPublished(flags.publish));
  }
}

function noTask(tasks: string[]): GbuildError {
  return new GbuildError('usage', `no task is named; the tasks are ${tasks.join(', ') || '(none)'}`, {
    suggestions: tasks.map((task) => `gbuild run ${task}`).slice(0, 5),
    facts: { tasks },
  });
}
