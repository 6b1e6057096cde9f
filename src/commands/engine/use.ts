import { Args, Flags } from '@oclif/core';
import { useEngine } from '../../actions/engine/use-engine.ts';
import { GbuildError } from '../../errors.ts';
import { BaseCommand } from '../base/base-command.ts';

export default class EngineUseCommand extends BaseCommand {
  static override summary = 'Choose the engine to use by default (written to your config.yml)';
  static override description =
    'NAME is a URL (unix://, tcp://, ssh://), a docker context or a machine of docker-machine; context:NAME and machine:NAME say which of the two is meant. Flags, DOCKER_HOST and DOCKER_CONTEXT take precedence.';
  static override args = { name: Args.string({ description: 'the engine' }) };
  static override flags = { clear: Flags.boolean({ description: 'remove the default engine' }) };
  static override examples = [
    '<%= config.bin %> engine use ssh://build@server',
    '<%= config.bin %> engine use machine:dev',
    '<%= config.bin %> engine use --clear',
  ];

  async run() {
    const { flags, args } = await this.parse(EngineUseCommand);
    if ((args.name === undefined) !== (flags.clear === true)) throw whichEngine();
    const host = this.readHost(flags);
    const { file, engine } = await useEngine(host, args.name ?? 'default', this.openProgress(flags, host));
    const [named] = Object.entries(engine);
    this.log(named === undefined ? `${file} names no engine` : `${file} names the engine: ${named[0]} ${named[1]}`);
    return { file, engine };
  }
}

function whichEngine(): GbuildError {
  return new GbuildError('usage', 'no engine is named: name one, or pass --clear', {
    suggestions: ['gbuild engine ls', 'gbuild engine use --clear'],
  });
}
