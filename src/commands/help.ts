import { Args, Command, Help } from '@oclif/core';

export default class HelpCommand extends Command {
  static override summary = 'Show the help of gbuild or of a command';
  static override strict = false;
  static override args = { command: Args.string({ description: 'command to explain' }) };
  static override examples = ['<%= config.bin %> help', '<%= config.bin %> help image'];

  async run(): Promise<void> {
    const { argv } = await this.parse(HelpCommand);
    await new Help(this.config, this.config.pjson.helpOptions).showHelp(argv as string[]);
  }
}
