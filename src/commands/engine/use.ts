import { Args, Flags } from '@oclif/core';
import { useEngine } from '../../actions/engine/use-engine.ts';
import { GbuildError } from '../../errors.ts';
import { BaseCommand } from '../base/base-command.ts';

export default class EngineUseCommand extends BaseCommand {
  static override summary = 'Write into your config.yml which engine is used where nothing else names one';
  static override description =
    'NAME is a URL (unix://, tcp://, ssh://), a docker context or a machine of docker-machine; context:NAME and machine:NAME tell one from the other. The flags, DOCKER_HOST and DOCKER_CONTEXT go before it.';
  static override args = { name: Args.string({ description: 'the engine' }) };
  static override flags = { clear: Flags.boolean({ description: 'name no engine any more' }) };
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
  return new GbuildError('usage', 'which engine? Name one, or say --clear', {
    suggestions: ['gbuild engine ls', 'gbuild engine use --clear'],
  });
}
