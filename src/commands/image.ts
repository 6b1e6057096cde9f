import { Flags } from '@oclif/core';
import { openRun } from '../pipeline/engine-session.ts';
import { makeImage } from '../pipeline/make-image.ts';
import { formatBytes, formatDigest, formatSeconds } from '../reporter/format.ts';
import { openStop } from './stop.ts';
import { frozenOf, newRunId, TaskCommand, taskFlags } from './task-command.ts';

export default class ImageCommand extends TaskCommand {
  static override summary = 'Build, and pack the outputs into an image; with --release, as a version that never moves';
  static override description =
    `Without --release the tag says what git describe says and starts with "dev-". A release needs an exact version, a clean tree and a committed gbuild.lock; the same commit and lock give the same image id everywhere. A version that exists already is left alone when it is the same image, and refused when it is another.`;
  static override flags = {
    ...taskFlags,
    release: Flags.string({ helpValue: 'VERSION', description: 'release this exact version, e.g. 1.0.1' }),
    build: Flags.boolean({
      default: true,
      allowNo: true,
      description: 'run the build task first; --no-build packs the outputs that are there',
    }),
    tag: Flags.string({ multiple: true, helpValue: 'TAG', description: 'also tag the image with this, e.g. latest' }),
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
    '<%= config.bin %> image --release 1.0.1 --output oci:out/image --json',
  ];

  async run() {
    const { flags } = await this.parse(ImageCommand);
    const host = this.readHost(flags);
    const progress = this.openProgress(flags, host);
    using stop = openStop((text) => progress.warn(text));
    const places = { host, installDir: this.config.root };
    const runId = newRunId();
    const { session, engine } = await openRun(places, flags, runId, progress);
    try {
      const record = await makeImage({
        ...places,
        session,
        engine,
        runId,
        progress,
        stop,
        frozen: frozenOf(flags, host),
        streams: { ...this.openStreams(host), ...(!this.jsonEnabled() && { stdout: process.stderr }) },
        version: flags.release,
        build: flags.build,
        tags: flags.tag ?? [],
        outputs: flags.output ?? [],
      });
      const done = record.alreadyReleased ? 'already released' : record.version === undefined ? 'built' : 'released';
      const facts = `${formatDigest(record.imageId)}, ${formatBytes(record.size)} on its base, ${formatSeconds(record.seconds)}`;
      this.log(`${record.reference} ${done} (${facts})`);
      return record;
    } finally {
      engine.close();
    }
  }
}
