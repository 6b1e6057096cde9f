import { Args } from '@oclif/core';
import { buildToolchain } from '../../actions/toolchain/images.ts';
import { engineFlags } from '../base/base-command.ts';
import { EngineCommand } from '../base/engine-command.ts';

export default class ToolchainBuildCommand extends EngineCommand {
  static override summary = 'Make the build and runtime images of a toolchain, if the engine lacks them';
  static override description = 'Existing images are not built again. No lock is written: see "gbuild lock".';
  static override args = {
    toolchain: Args.string({ description: 'toolchain such as jvm@21; by default that of the repository' }),
  };
  static override flags = { ...engineFlags };
  static override examples = ['<%= config.bin %> toolchain build', '<%= config.bin %> toolchain build jvm@21'];

  async run() {
    const { flags, args } = await this.parse(ToolchainBuildCommand);
    const request = await parseIfAny(args.toolchain);
    const { toolchain, images } = await this.withEngine(flags, (open) => buildToolchain({ ...open, request }));
    const made = [images.build, ...(images.runtime === undefined ? [] : [images.runtime])];
    this.log([...new Set(made.map(({ reference }) => reference))]);
    const { name, version, recipe } = toolchain;
    return { name, version, recipe, build: images.build, runtime: images.runtime, locked: images.locked };
  }
}

/** Parses a toolchain of the command line; the parser is loaded only when needed. */
export async function parseIfAny(text: string | undefined) {
  if (text === undefined) return undefined;
  const { parseToolchain } = await import('../../spec/schema/parse-toolchain.ts');
  return parseToolchain(text);
}
