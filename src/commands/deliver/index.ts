import { Args, Flags } from '@oclif/core';
import { type DeliveryRecord, deliverRelease } from '../../actions/deliver/deliver.ts';
import { listTargets } from '../../actions/deliver/list-targets.ts';
import { GbuildError } from '../../errors.ts';
import { formatBytes, formatDigest } from '../../reporter/format.ts';
import { BaseCommand } from '../base/base-command.ts';
import { formatTable } from '../base/engine-command.ts';
import { openStop } from '../base/stop.ts';
import { newRunId } from '../base/task-command.ts';

export default class DeliverCommand extends BaseCommand {
  static override summary = 'Render a release for a system that deploys: its files, with the digest in them';
  static override description =
    'A target is a name under deliver.targets in gbuild.yml, or a kind such as compose. Nothing is deployed. The same release and the same gbuild.yml give the same bytes. Without --output, a delivery of one text goes to standard output.';
  static override args = {
    target: Args.string({ description: 'name of a target in gbuild.yml, or a kind of target' }),
    release: Args.string({
      description: 'VERSION, or NAME:VERSION; with --to only NAME; by default the newest release of this machine',
    }),
  };
  static override flags = {
    list: Flags.boolean({ description: 'list the targets, and what each needs' }),
    to: Flags.string({ helpValue: 'CHANNEL', description: 'deliver what this channel holds, and record it there' }),
    output: Flags.string({ char: 'o', helpValue: 'DIR', description: 'folder to write the files to' }),
    put: Flags.string({
      helpValue: 'URL',
      description: 'put the files at s3://BUCKET/KEY, https://HOST/PATH or file:///PATH, never over other bytes',
    }),
    check: Flags.boolean({
      description: "let the target's own validator judge the files first, where it is installed",
    }),
    platform: Flags.string({ helpValue: 'OS/ARCH', description: 'image of an index, for a target that takes one' }),
    registry: Flags.string({
      helpValue: 'HOST[:PORT]',
      description: 'registry that has the release; by default GBUILD_REGISTRY, or registry in gbuild.yml',
    }),
  };
  static override examples = [
    '<%= config.bin %> deliver --list',
    '<%= config.bin %> deliver compose 1.0.1',
    '<%= config.bin %> deliver nova 1.0.1 --put s3://releases/',
    '<%= config.bin %> deliver compose --to production',
    '<%= config.bin %> deliver kubernetes 1.0.1 --output out/kubernetes --check',
  ];

  async run() {
    const { flags, args } = await this.parse(DeliverCommand);
    const host = this.readHost(flags);
    const progress = this.openProgress(flags, host);
    using stop = openStop((text) => progress.warn(text));
    const context = { host, installDir: this.config.root, progress };
    if (flags.list) {
      const listed = await listTargets(context);
      const rows = listed.map(({ name, kind, takes, missing, summary }) => [
        name,
        kind,
        takes,
        missing ?? 'ready',
        summary,
      ]);
      this.logText(formatTable([['TARGET', 'KIND', 'TAKES', 'STATE', 'WHAT IT IS'], ...rows]));
      return { targets: listed };
    }
    const { target, release } = args;
    if (target === undefined)
      throw new GbuildError('usage', 'gbuild deliver needs a target', { suggestions: ['gbuild deliver --list'] });
    const { registry, platform, output, put, check = false, to: channel } = flags;
    const named = { target, release, channel, registry, platform, output, put };
    const record = await deliverRelease({ ...context, ...named, stop, runId: newRunId(), check });
    // A text is printed as its file would be: it ends with one line end.
    this.logText(record.text?.replace(/\n$/, '') ?? summarise(record));
    return record;
  }
}

function summarise({ release, target, imageId, published, dir, put = [], files }: DeliveryRecord): string {
  const what = published ?? `image ${formatDigest(imageId)}`;
  const places = put.map(({ url, alreadyThere }) => `  ${url}${alreadyThere ? ' (there already)' : ''}`);
  const where = dir === undefined ? '' : ` in ${dir}`;
  const lines = files.map(({ path, size, sha256 }) => `  ${path}  ${formatBytes(size)}  sha256:${sha256}`);
  return [`${release} for ${target}${where} (${what})`, ...lines, ...places].join('\n');
}
