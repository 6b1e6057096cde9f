import { Flags } from '@oclif/core';
import { removeToolchainImages } from '../../actions/toolchain/images.ts';
import { GbuildError } from '../../errors.ts';
import { engineFlags } from '../base/base-command.ts';
import { EngineCommand } from '../base/engine-command.ts';

export default class ToolchainRmCommand extends EngineCommand {
  static override summary = 'Remove toolchain images from the engine; the next run that needs one makes it again';
  static override description =
    'NAME is an image, or a toolchain such as node or node@22.23.3. Other images of the engine are never touched.';
  static override usage = 'toolchain rm NAME... | --all';
  static override strict = false;
  static override flags = {
    ...engineFlags,
    all: Flags.boolean({ description: 'remove all, and the base images below them' }),
  };
  static override examples = ['<%= config.bin %> toolchain rm node@22.23.3', '<%= config.bin %> toolchain rm --all'];

  async run() {
    const { flags, argv } = await this.parse(ToolchainRmCommand);
    const names = argv as string[];
    if ((flags.all === true) === names.length > 0) throw whichImages();
    const chosen = flags.all ? ('all' as const) : names;
    const removed = await this.withEngine(flags, ({ engine }) => removeToolchainImages(engine, chosen));
    this.log(removed.length === 0 ? 'nothing to remove' : removed.map(({ reference }) => `removed ${reference}`));
    return { removed };
  }
}

function whichImages(): GbuildError {
  return new GbuildError('usage', 'no toolchain image is named: name some, or pass --all', {
    suggestions: ['gbuild toolchain ls', 'gbuild toolchain rm --all'],
  });
}
