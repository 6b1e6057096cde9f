import { Args, Command, Help } from '@oclif/core';

export default class HelpCommand extends Command {
  static override summary = 'Show the help of gbuild or of a command';
  static override description = 'With --json: what each command is for, its arguments and its flags.';
  static override enableJsonFlag = true;
  static override strict = false;
  static override args = { command: Args.string({ description: 'command to explain' }) };
  static override examples = ['<%= config.bin %> help', '<%= config.bin %> help image'];

  async run() {
    const { argv } = await this.parse(HelpCommand);
    const id = argv[0] as string | undefined;
    if (!this.jsonEnabled()) await new Help(this.config, this.config.pjson.helpOptions).showHelp(argv as string[]);
    const commands = this.config.commands.filter((command) => !command.hidden && (id ?? command.id) === command.id);
    return { commands: commands.map(describeCommand) };
  }
}

function describeCommand({ id, summary, description, args, flags }: Command.Loadable) {
  const describe = (all: Record<string, { name: string; description?: string; summary?: string }>) =>
    Object.values(all).map(({ name, summary: short, description: long }) => ({ name, description: short ?? long }));
  return { id, summary, description, args: describe(args), flags: describe(flags) };
}
