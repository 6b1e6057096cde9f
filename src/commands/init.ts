import { Flags } from '@oclif/core';
import { initSpec } from '../actions/session/write-spec-file.ts';
import { BaseCommand } from './base/base-command.ts';
import { parseIfAny } from './toolchain/build.ts';

export default class InitCommand extends BaseCommand {
  static override summary = 'Write a gbuild.yml with what gbuild sees in this repository, explained by comments';
  static override description = 'An existing gbuild.yml is never overwritten.';
  static override flags = {
    toolchain: Flags.string({ description: 'toolchain to write it for, such as jvm@21, instead of detecting one' }),
  };
  static override examples = [
    '<%= config.bin %> init',
    '<%= config.bin %> init --toolchain jvm@21',
    '<%= config.bin %> init --directory services/shop',
  ];

  async run() {
    const { flags } = await this.parse(InitCommand);
    const host = this.readHost(flags);
    const progress = this.openProgress(flags, host);
    const result = await initSpec({ host, installDir: this.config.root, progress }, await parseIfAny(flags.toolchain));
    for (const { key, because } of result.assumptions) this.log(`${key}: ${because}`);
    if (result.others.length > 0) progress.warn(`this could also be ${result.others.join(' or ')}`);
    this.log(`wrote ${result.file}; try: ${this.config.bin} test`);
    return result;
  }
}
