import { Args, Flags } from '@oclif/core';
import { GbuildError } from '../errors.ts';
import { checkLock } from '../pipeline/check-lock.ts';
import { readyToolchain } from '../pipeline/ready-toolchain.ts';
import type { Lock } from '../spec/types.ts';
import { engineFlags } from './base.ts';
import { type OpenCommand, TaskCommand } from './task-command.ts';

export default class LockCommand extends TaskCommand {
  static override summary = 'Resolve the toolchain and write the choice to gbuild.lock';
  static override description =
    'Without --update a version that gbuild.lock names already is kept. --check writes nothing and asks no engine: it exits with 2 where the lock is missing or does not fit the spec, as a run with --frozen does.';
  static override args = {
    toolchain: Args.string({ description: "name of the toolchain to update; the repository's, when left out" }),
  };
  static override flags = {
    ...engineFlags,
    update: Flags.boolean({
      description: 'forget what is locked: take the newest version that fits, made of the packages of today',
    }),
    check: Flags.boolean({ description: 'only say whether gbuild.lock fits', exclusive: ['update'] }),
  };
  static override examples = [
    '<%= config.bin %> lock',
    '<%= config.bin %> lock --update',
    '<%= config.bin %> lock --check',
  ];

  async run() {
    const { flags, args } = await this.parse(LockCommand);
    if (flags.check) return this.check(flags);
    const options = { ignoreLock: flags.update };
    const renewed = flags.update ? { renewed: new Set<string>() } : {};
    const ready = (open: OpenCommand) => {
      const { name } = open.session.toolchain;
      if (args.toolchain !== undefined && args.toolchain !== name) throw otherToolchain(args.toolchain, name);
      return readyToolchain({ ...open, ...renewed, frozen: 'never' });
    };
    const { lock } = await this.withRun(flags, ready, options);
    const { request, name, version } = lock.toolchain;
    this.log(`${request} is ${name} ${version}`);
    return lock;
  }

  private async check(flags: { directory?: string | undefined; quiet: boolean; verbose: boolean }): Promise<Lock> {
    const host = this.readHost(flags);
    const lock = await checkLock({ host, installDir: this.config.root }, this.openProgress(flags, host));
    const { request, name, version } = lock.toolchain;
    this.log(`gbuild.lock fits: ${request} is ${name} ${version}`);
    return lock;
  }
}

function otherToolchain(asked: string, name: string): GbuildError {
  return new GbuildError('usage', `this repository builds in ${name}, not in ${asked}`, {
    suggestions: [`gbuild lock --update ${name}`],
    facts: { asked, name },
  });
}
