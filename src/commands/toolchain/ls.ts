import { Flags } from '@oclif/core';
import { listAvailable, listToolchainImages } from '../../actions/toolchain/images.ts';
import { formatBytes, formatDigest } from '../../reporter/format.ts';
import { engineFlags } from '../base/base-command.ts';
import { EngineCommand, formatTable } from '../base/engine-command.ts';

export default class ToolchainLsCommand extends EngineCommand {
  static override summary = 'List the toolchain images on the engine, or the toolchains of the catalog';
  static override description = 'Sizes are uncompressed; what images share, such as their base, is counted in each.';
  static override flags = {
    ...engineFlags,
    available: Flags.boolean({ description: 'list the catalog instead; needs no engine' }),
  };
  static override examples = [
    '<%= config.bin %> toolchain ls',
    '<%= config.bin %> toolchain ls --available',
    '<%= config.bin %> toolchain ls --json',
  ];

  async run() {
    const { flags } = await this.parse(ToolchainLsCommand);
    if (flags.available) {
      const host = this.readHost(flags);
      const context = { host, installDir: this.config.root, progress: this.openProgress(flags, host) };
      const toolchains = await listAvailable(context);
      const rows = toolchains.map(({ name, title, versions, default: standard }) => [
        name,
        title,
        `${versions[0]} to ${versions.at(-1)}`,
        standard,
      ]);
      this.logText(formatTable([['NAME', 'TITLE', 'VERSIONS', 'DEFAULT'], ...rows]));
      return { toolchains };
    }
    const images = await this.withEngine(flags, ({ engine }) => listToolchainImages(engine));
    const rows = images.map(({ reference, role, id, size }) => [reference, role, formatDigest(id), formatBytes(size)]);
    this.logText(formatTable([['IMAGE', 'ROLE', 'ID', 'SIZE'], ...rows]));
    return { images };
  }
}
