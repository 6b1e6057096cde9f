import { Flags } from '@oclif/core';
import { readyToolchain } from '../pipeline/ready-toolchain.ts';
import { engineFlags } from './base.ts';
import { TaskCommand } from './task-command.ts';

export default class LockCommand extends TaskCommand {
  static override summary = 'Resolve the toolchain and write the choice to gbuild.lock';
  static override description = 'Without --update a version that gbuild.lock names already is kept.';
  static override flags = {
    ...engineFlags,
    update: Flags.boolean({ description: 'forget what is locked and take the newest version that fits' }),
  };
  static override examples = ['<%= config.bin %> lock', '<%= config.bin %> lock --update'];

  async run() {
    const { flags } = await this.parse(LockCommand);
    const options = { ignoreLock: flags.update };
    const { lock } = await this.withRun(flags, (open) => readyToolchain({ ...open, frozen: 'never' }), options);
    const { request, name, version } = lock.toolchain;
    this.log(`${request} is ${name} ${version}`);
    return lock;
  }
}
