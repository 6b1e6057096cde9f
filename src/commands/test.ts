import { TaskCommand, taskFlags } from './task-command.ts';

export default class TestCommand extends TaskCommand {
  static override summary = 'Run the test task, and the tasks it needs, in the build container';
  static override description =
    `What follows -- goes to the task as arguments. The exit code is the task's own; 2, 3 and 4 say that the call, the engine or a time limit was the problem.`;
  static override flags = { ...taskFlags };
  static override usage = 'test [FLAGS] [-- ARGUMENT...]';
  static override examples = [
    '<%= config.bin %> test',
    '<%= config.bin %> test -- test/login.test.js',
    '<%= config.bin %> test --json > report.json',
    '<%= config.bin %> test --context build-server',
  ];
  static override strict = false;

  async run() {
    const { flags, argv } = await this.parse(TestCommand);
    return this.runTasks(flags, ['test'], argv as string[]);
  }
}
