import { Args } from '@oclif/core';
import { type ShownEngine, showEngine } from '../../actions/engine/show-engine.ts';
import { formatBytes } from '../../reporter/format.ts';
import { BaseCommand, engineFlags } from '../base/base-command.ts';
import { formatTable } from '../base/engine-command.ts';

export default class EngineShowCommand extends BaseCommand {
  static override summary =
    'Show what an engine is and can do; by default the one that commands use, and why it is chosen';
  static override args = {
    name: Args.string({ description: 'a URL, a docker context or a machine; see "gbuild engine use"' }),
  };
  static override flags = { ...engineFlags };
  static override examples = [
    '<%= config.bin %> engine show',
    '<%= config.bin %> engine show ssh://build@server --json',
  ];

  async run() {
    const { flags, args } = await this.parse(EngineShowCommand);
    const host = this.readHost(flags);
    const shown = await showEngine(host, args.name, flags, this.openProgress(flags, host));
    this.logText(formatTable(describe(shown)));
    const { url, source, reason, warnings, context, machine, tls } = shown.endpoint;
    return {
      engine: {
        url,
        source,
        reason,
        warnings,
        context,
        machine,
        tls: tls && { verify: tls.verify, dir: tls.directory },
      },
      info: shown.info,
    };
  }
}

function describe({ endpoint, info }: ShownEngine): string[][] {
  const { url, reason, context, machine, tls } = endpoint;
  const named = [
    context === undefined ? [] : [['context', context]],
    machine === undefined ? [] : [['machine', machine]],
  ];
  return [
    ['url', url],
    ['because', reason],
    ...named.flat(),
    ['engine', `${info.kind} ${info.version}, API ${info.apiVersion}, ${info.platform}`],
    ['name', info.name],
    ['images', info.containerdStore ? "containerd's store" : 'classic store'],
    ['builder', info.buildkit ? 'BuildKit' : 'classic'],
    ['runs as', info.rootless ? 'a user (rootless)' : info.usernsRemap ? 'root, containers remapped' : 'root'],
    [
      'tls',
      tls === undefined
        ? 'none'
        : `${tls.verify ? 'verified' : 'not verified'}${tls.directory ? `, ${tls.directory}` : ''}`,
    ],
    ['cpus', String(info.cpus)],
    ['memory', formatBytes(info.memory)],
  ];
}
