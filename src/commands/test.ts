import { isSharded, shardFlags } from './base/shard-flags.ts';
import { TaskCommand, taskFlags } from './base/task-command.ts';

export default class TestCommand extends TaskCommand {
  static override summary = 'Run the test task, and the tasks it needs, in the build container';
  static override description =
    `What follows -- goes to the task as arguments. The exit code is the task's own; 2, 3 and 4 say that the call, the engine or a time limit was the problem.`;
  static override flags = { ...taskFlags, ...shardFlags };
  static override usage = 'test [FLAGS] [-- ARGUMENT...]';
  static override examples = [
    '<%= config.bin %> test',
    '<%= config.bin %> test -- test/login.test.js',
    '<%= config.bin %> test --json > report.json',
    '<%= config.bin %> test --context build-server',
    '<%= config.bin %> test --shards 4 --on default,build-server',
  ];
  static override strict = false;

  async run() {
    const { flags, argv } = await this.parse(TestCommand);
    const args = argv as string[];
    return isSharded(flags) ? this.runShards(flags, ['test'], args) : this.runTasks(flags, ['test'], args);
  }
}
