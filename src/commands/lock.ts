import { Args, Flags } from '@oclif/core';
import { checkLock } from '../actions/lock/check-lock.ts';
import { ensureToolchainReady } from '../actions/toolchain/ensure-ready.ts';
import { GbuildError } from '../errors.ts';
import type { Lock } from '../spec/lock/lock-types.ts';
import { engineFlags } from './base/base-command.ts';
import { type OpenCommand, TaskCommand } from './base/task-command.ts';

export default class LockCommand extends TaskCommand {
  static override summary = 'Resolve the toolchain and write the choice to gbuild.lock';
  static override description =
    'Without --update a version that gbuild.lock names already is kept. --update shows what has changed, and writes nothing if the tests fail with it. --check writes nothing and needs no engine: it exits with 2 if the lock is missing or does not fit the spec, as a run with --frozen does.';
  static override args = {
    toolchain: Args.string({ description: 'toolchain to update; by default that of the repository' }),
  };
  static override flags = {
    ...engineFlags,
    update: Flags.boolean({
      description: 'ignore the lock: take the newest version that fits, with current packages',
    }),
    try: Flags.boolean({
      default: true,
      allowNo: true,
      description: 'with --update: run the tests with it first; if they fail, the lock is not changed',
    }),
    check: Flags.boolean({ description: 'only check whether gbuild.lock fits', exclusive: ['update'] }),
  };
  static override examples = [
    '<%= config.bin %> lock',
    '<%= config.bin %> lock --update',
    '<%= config.bin %> lock --check',
  ];

  async run() {
    const { flags, args } = await this.parse(LockCommand);
    if (flags.check) return this.check(flags);
    const lock = await this.withRun(flags, (open) => this.lock(open, flags, args.toolchain), {
      ignoreLock: flags.update,
    });
    const { request, name, version } = lock.toolchain;
    this.log(`${request} is ${name} ${version}`);
    return lock;
  }

  private async lock(open: OpenCommand, flags: { update: boolean; try: boolean }, asked?: string): Promise<Lock> {
    const { name } = open.session.toolchain;
    if (asked !== undefined && asked !== name) throw otherToolchain(asked, name);
    if (!flags.update) return (await ensureToolchainReady({ ...open, frozen: 'never', isLockAsked: true })).lock;
    const { updateLock } = await import('../actions/lock/update-lock.ts');
    // The tests' output is progress here: the result is the lock.
    const streams = { ...this.openStreams(open.host), stdout: process.stderr };
    return updateLock({ ...open, streams, isTried: flags.try });
  }

  private async check(flags: { directory?: string | undefined; quiet: boolean; verbose: boolean }): Promise<Lock> {
    const host = this.readHost(flags);
    const lock = await checkLock({ host, installDir: this.config.root, progress: this.openProgress(flags, host) });
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
