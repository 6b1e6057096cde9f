import { TaskCommand, taskFlags } from './base/task-command.ts';

export default class BuildCommand extends TaskCommand {
  static override summary = 'Run the build task, and the tasks it needs, in the build container';
  static override description =
    `Arguments after -- are passed to the task. The exit code is the task's own; gbuild's are 2 for a mistake in the call or the files, 3 for the engine or the network, 4 for a time limit.`;
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
