import { isSharded, shardFlags } from './base/shard-flags.ts';
import { TaskCommand, taskFlags } from './base/task-command.ts';

export default class TestCommand extends TaskCommand {
  static override summary = 'Run the test task, and the tasks it needs, in the build container';
  static override description =
    `Arguments after -- are passed to the task. The exit code is the task's own; gbuild's are 2 for a mistake in the call or the files, 3 for the engine or the network, 4 for a time limit.`;
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
