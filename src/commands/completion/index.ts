import { Args } from '@oclif/core';
import { BaseCommand } from '../base/base-command.ts';
import { formatCompletion } from '../base/completion-script.ts';

export default class CompletionCommand extends BaseCommand {
  static override summary = 'Print a completion script for bash or zsh';
  static override description =
    'Completes commands, flags and, after "run" and "plan", the tasks of the repository you stand in.';
  static override args = {
    shell: Args.string({ required: true, options: ['bash', 'zsh'], description: 'your shell' }),
  };
  static override examples = [
    'source <(<%= config.bin %> completion bash)   # in ~/.bashrc',
    'source <(<%= config.bin %> completion zsh)    # in ~/.zshrc, after compinit',
  ];

  async run() {
    const { args } = await this.parse(CompletionCommand);
    const commands = this.config.commands
      .filter((command) => !command.hidden)
      .map((command) => ({
        id: command.id,
        summary: command.summary ?? '',
        flags: Object.values(command.flags).flatMap(({ name, char }) => [`--${name}`, ...(char ? [`-${char}`] : [])]),
      }));
    const script = formatCompletion(args.shell as 'bash' | 'zsh', commands).trimEnd();
    this.logText(script);
    return { shell: args.shell, script };
  }
}
