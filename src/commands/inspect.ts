import { Args, Flags } from '@oclif/core';
import { inspectContents } from '../actions/inspect/inspect-image.ts';
import { imageFlags, OpenImageCommand } from './base/open-image-command.ts';

export default class InspectCommand extends OpenImageCommand {
  static override summary = 'Show what an image is made of: layers, files, sizes, packages, and what is attached to it';
  static override description =
    'IMAGE is a release of the store (NAME:VERSION, or VERSION of the repository here), an image in a registry (HOST/NAME:TAG or @sha256:...), oci:DIR or oci:DIR:TAG, docker-archive:FILE, engine:NAME; a name that the store does not have is asked of the engine. What is attached to an image in a registry (SBOM, provenance, signatures) is shown, not verified.';
  static override args = { image: Args.string({ required: true, description: 'the image, by any of its names' }) };
  static override flags = {
    ...imageFlags,
    html: Flags.string({ helpValue: 'FILE', description: 'also write a self-contained HTML page' }),
    files: Flags.boolean({ description: 'also list every path of every layer' }),
    packages: Flags.boolean({ description: 'also list every package with its licence' }),
    extract: Flags.string({
      helpValue: 'DIR',
      description: "write the image's files, as a container sees them, to a folder that is new or empty",
      exclusive: ['html', 'files', 'packages'],
    }),
    path: Flags.string({
      helpValue: 'PATH',
      description: 'with --extract: write this file or folder alone, at its place below DIR',
      dependsOn: ['extract'],
    }),
  };
  static override examples = [
    '<%= config.bin %> inspect hello:1.0.1',
    '<%= config.bin %> inspect registry.example.com/hello:1.0.1 --html hello.html',
    '<%= config.bin %> inspect oci:out/image --files',
    '<%= config.bin %> inspect hello:1.0.1 --extract ../hello --path /app',
  ];

  async run() {
    const { flags, args } = await this.parse(InspectCommand);
    const { html, files, packages, extract, path } = flags;
    if (extract !== undefined) {
      const { extractImage } = await import('../actions/inspect/extract-image.ts');
      const written = await this.withRequest(flags, (request) =>
        extractImage({ ...request, name: args.image, dir: extract, path }),
      );
      this.logText(written.text);
      return written.data;
    }
    const image = await this.withRequest(flags, (request) =>
      inspectContents({ ...request, name: args.image, html, files, packages }),
    );
    this.logText(image.text);
    return image.data;
  }
}
