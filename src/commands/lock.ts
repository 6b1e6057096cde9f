import { Flags } from '@oclif/core';
import { openRun } from '../pipeline/engine-session.ts';
import { readyToolchain } from '../pipeline/ready-toolchain.ts';
import { BaseCommand, engineFlags } from './base.ts';
import { openStop } from './stop.ts';
import { newRunId } from './task-command.ts';

export default class LockCommand extends BaseCommand {
  static override summary = 'Resolve the toolchain and write the choice to gbuild.lock';
  static override description = 'Without --update a version that gbuild.lock names already is kept.';
  static override flags = {
    ...engineFlags,
    update: Flags.boolean({ description: 'forget what is locked and take the newest version that fits' }),
  };
  static override examples = ['<%= config.bin %> lock', '<%= config.bin %> lock --update'];

  async run() {
    const { flags } = await this.parse(LockCommand);
    const host = this.readHost(flags);
    const progress = this.openProgress(flags, host);
    using stop = openStop((text) => progress.warn(text));
    const { session, engine } = await openRun({ host, installDir: this.config.root }, flags, newRunId(), progress, {
      ignoreLock: flags.update,
    });
    try {
      const { lock } = await readyToolchain({ session, engine, host, progress, stop, frozen: 'never' });
      const { request, name, version } = lock.toolchain;
      this.log(`${request} is ${name} ${version}`);
      return lock;
    } finally {
      engine.close();
    }
  }
}
