import { TaskCommand, taskFlags } from './base/task-command.ts';

export default class BuildCommand extends TaskCommand {
  static override summary = 'Run the build task, and the tasks it needs, in the build container';
  static override description =
    `What follows -- goes to the task as arguments. The exit code is the task's own; 2, 3 and 4 say that the call, the engine or a time limit was the problem.`;
  static override flags = { ...taskFlags };
  static override usage = 'build [FLAGS] [-- ARGUMENT...]';
  static override examples = [
    '<%= config.bin %> build',
    '<%= config.bin %> build --verbose',
    '<%= config.bin %> build --directory services/shop',
  ];
  static override strict = false;

  async run() {
    const { flags, argv } = await this.parse(BuildCommand);
    return this.runTasks(flags, ['build'], argv as string[]);
  }
}
