import { listEngines } from '../../actions/engine/list-engines.ts';
import { BaseCommand, engineFlags } from '../base/base-command.ts';
import { formatTable } from '../base/engine-command.ts';

export default class EngineLsCommand extends BaseCommand {
  static override summary = 'List the engines of this machine: whether they answer, which one is used, and why';
  static override description =
    'Finds them in the environment, your config.yml, docker contexts, sockets and machines of docker-machine, and asks all at once. * marks the one that commands use. No machine is started.';
  static override flags = { ...engineFlags };
  static override examples = ['<%= config.bin %> engine ls', '<%= config.bin %> engine ls --json'];

  async run() {
    const { flags } = await this.parse(EngineLsCommand);
    const host = this.readHost(flags);
    const engines = await listEngines(host, flags, this.openProgress(flags, host));
    const rows = engines.map(({ name, kind, url, engine, chosen, why }) => [
      `${chosen ? '*' : ' '} ${name}`,
      kind,
      url ?? '?',
      engine ?? 'no answer',
      why,
    ]);
    this.logText(formatTable([['  NAME', 'KIND', 'URL', 'ENGINE', 'WHY'], ...rows]));
    return { engines };
  }
}
