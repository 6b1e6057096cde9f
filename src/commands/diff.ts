import { Args } from '@oclif/core';
import { diffImages } from '../actions/inspect/diff-images.ts';
import { imageFlags, OpenImageCommand } from './base/open-image-command.ts';

export default class DiffCommand extends OpenImageCommand {
  static override summary = 'Show how two images differ: settings, layers, files, packages';
  static override description =
    'Images are named as for gbuild inspect. The exit code is 0 if they are the same image and 1 if they are not. Files are compared as a container sees them, by content, type, mode and owner; times do not count.';
  static override args = {
    before: Args.string({ required: true, description: 'first image' }),
    after: Args.string({ required: true, description: 'second image' }),
  };
  static override flags = { ...imageFlags };
  static override examples = [
    '<%= config.bin %> diff hello:1.0.0 hello:1.0.1',
    '<%= config.bin %> diff hello:1.0.1 registry.example.com/hello:1.0.1',
  ];

  async run() {
    const { flags, args } = await this.parse(DiffCommand);
    const { before, after } = args;
    const difference = await this.withRequest(flags, (request) => diffImages({ ...request, before, after }));
    this.logText(difference.text);
    process.exitCode = difference.data.isSame ? 0 : 1;
    return difference.data;
  }
}
