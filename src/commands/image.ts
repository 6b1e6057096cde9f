import { Flags } from '@oclif/core';
import { makeImage } from '../actions/release/make-image.ts';
import type { ImageRecord } from '../actions/release/record.ts';
import { formatBytes, formatDigest, formatSeconds } from '../reporter/format.ts';
import { attestFlag, registryFlag, signKeyFlag } from './base/push-flags.ts';
import { TaskCommand, taskFlags } from './base/task-command.ts';
import { summarisePush } from './push.ts';

export default class ImageCommand extends TaskCommand {
  static override summary = 'Build, and pack the outputs into an image; with --release, as a version that never moves';
  static override description =
    `Without --release the tag is "dev-" and what git describe says. A release needs an exact version, a clean tree and a committed gbuild.lock; the same commit and lock give the same image id everywhere. If the version exists already, the same image is accepted and another one is refused.`;
  static override flags = {
    ...taskFlags,
    release: Flags.string({ helpValue: 'VERSION', description: 'release this exact version, e.g. 1.0.1' }),
    build: Flags.boolean({
      default: true,
      allowNo: true,
      description: 'run the build task first; --no-build packs the existing outputs',
    }),
    tag: Flags.string({ multiple: true, helpValue: 'TAG', description: 'also tag the image with this, e.g. latest' }),
    push: Flags.boolean({ description: 'push the release to the registry' }),
    registry: registryFlag,
    'sign-key': signKeyFlag,
    attest: attestFlag,
    output: Flags.string({
      multiple: true,
      helpValue: 'oci:DIR|docker-archive:FILE',
      description: 'also write the image to a folder or file',
    }),
  };
  static override examples = [
    '<%= config.bin %> image',
    '<%= config.bin %> image --no-build --tag dev',
    '<%= config.bin %> image --release 1.0.1',
    '<%= config.bin %> image --release 1.0.1 --push --tag latest',
    '<%= config.bin %> image --release 1.0.1 --output oci:out/image --json',
  ];

  async run() {
    const { flags } = await this.parse(ImageCommand);
    const { release: version, build, tag: tags = [], output: outputs = [], push, registry } = flags;
    const record = await this.withRun(flags, (open) => {
      // The tasks' output is progress here: the result is the image.
      const streams = { ...this.openStreams(open.host), stdout: process.stderr };
      return makeImage({
        ...open,
        streams,
        version,
        build,
        tags,
        outputs,
        push: push ? { registry, keyFile: flags['sign-key'], attest: flags.attest } : undefined,
      });
    });
    this.log(summarise(record));
    if (record.pushed !== undefined) this.log(summarisePush(record.pushed));
    return record;
  }
}

function summarise(record: ImageRecord): string {
  const { reference, version, alreadyReleased, imageId, platforms = [], size, seconds } = record;
  const done = alreadyReleased ? 'already released' : version === undefined ? 'built' : 'released';
  const names = platforms.map(({ platform }) => platform).join(' and ');
  const what = names === '' ? done : `${done} for ${names}`;
  return `${reference} ${what} (${formatDigest(imageId)}, ${formatBytes(size)} on its base, ${formatSeconds(seconds)})`;
}
