import { Args, Flags } from '@oclif/core';
import type { PushRecord } from '../actions/release/push/push.ts';
import { pushStored } from '../actions/release/push/push-stored.ts';
import { formatBytes, formatDigest } from '../reporter/format.ts';
import { BaseCommand } from './base/base-command.ts';
import { attestFlag, registryFlag, signKeyFlag } from './base/push-flags.ts';
import { openStop } from './base/stop.ts';
import { newRunId } from './base/task-command.ts';

export default class PushCommand extends BaseCommand {
  static override summary = 'Push a release of this machine to a registry; its version never changes there either';
  static override description =
    'Needs no engine. What the registry has already is not sent. If the version exists there, the same image is accepted and another one is refused.';
  static override args = {
    release: Args.string({ required: true, description: 'NAME:VERSION, or VERSION of the repository here' }),
  };
  static override flags = {
    registry: registryFlag,
    'sign-key': signKeyFlag,
    attest: attestFlag,
    tag: Flags.string({ multiple: true, helpValue: 'TAG', description: 'also give it this tag there, e.g. latest' }),
  };
  static override examples = [
    '<%= config.bin %> push 1.0.1',
    '<%= config.bin %> push hello:1.0.1 --registry registry.example.com --tag latest',
  ];

  async run() {
    const { flags, args } = await this.parse(PushCommand);
    const host = this.readHost(flags);
    const progress = this.openProgress(flags, host);
    using stop = openStop((text) => progress.warn(text));
    const { registry, tag: tags = [], attest } = flags;
    const context = { host, installDir: this.config.root };
    const [runId, keyFile] = [newRunId(), flags['sign-key']];
    const record = await pushStored({
      ...context,
      progress,
      stop,
      release: args.release,
      registry,
      tags,
      runId,
      keyFile,
      attest,
    });
    this.log(summarisePush(record));
    return record;
  }
}

export function summarisePush({ reference, digest, alreadyReleased, layersSent, bytesSent }: PushRecord): string {
  if (alreadyReleased) return `${reference} already released (${formatDigest(digest)})`;
  return `${reference} pushed (${formatDigest(digest)}, ${formatBytes(bytesSent)} in ${layersSent} layers sent)`;
}
