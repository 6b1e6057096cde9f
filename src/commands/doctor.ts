import { Args, Flags } from '@oclif/core';
import type { Check } from '../actions/maintenance/check.ts';
import { diagnose, doctorChecks } from '../actions/maintenance/doctor.ts';
import { endpointEnv } from '../engine/endpoint/endpoint.ts';
import { GbuildError } from '../errors.ts';
import { BaseCommand, engineFlags } from './base/base-command.ts';
import { coloursOf } from './base/print.ts';
import { openStop } from './base/stop.ts';
import { newRunId } from './base/task-command.ts';

const { green, yellow, red } = coloursOf(process.stdout);
const marks = { ok: green('ok     '), warning: yellow('warning'), problem: red('problem') };

export default class DoctorCommand extends BaseCommand {
  static override summary = 'Check everything that a run depends on, and say how to fix it';
  static override description =
    'Checks Node, engine, disk, proxy, CA roots, clock, release store, spec and lock. Exits with 3 if the engine or the store has a problem, with 2 if the spec or the lock has. With --fix, what is damaged in the store is copied again from the engine or a registry; what neither has is named.';
  static override args = { check: Args.string({ options: [...doctorChecks], description: 'check only this' }) };
  static override flags = {
    ...engineFlags,
    shell: Flags.boolean({
      description: 'print the chosen engine as lines for a shell to evaluate',
      exclusive: ['json'],
    }),
    fix: Flags.boolean({ description: 'repair the release store; what is intact is kept' }),
    registry: Flags.string({
      helpValue: 'HOST[:PORT]',
      description:
        'registry that --fix copies from, too; by default those of GBUILD_REGISTRY, gbuild.yml and config.yml',
      dependsOn: ['fix'],
    }),
    forget: Flags.string({
      multiple: true,
      helpValue: 'NAME:VERSION',
      description: 'release that --fix removes from the store because nobody has its content any more',
      dependsOn: ['fix'],
    }),
  };
  static override examples = [
    '<%= config.bin %> doctor',
    '<%= config.bin %> doctor engine --json',
    '<%= config.bin %> doctor --fix',
    'eval "$(<%= config.bin %> doctor engine --shell)"',
  ];

  async run() {
    const { flags, args } = await this.parse(DoctorCommand);
    const host = this.readHost(flags);
    const progress = this.openProgress(flags, host);
    using stop = openStop((text) => progress.warn(text));
    const { registry, forget = [] } = flags;
    const { checks, endpoint, info } = await diagnose({
      host,
      installDir: this.config.root,
      choice: flags,
      nodeVersion: process.versions.node,
      only: args.check !== undefined ? [args.check] : flags.fix ? ['store'] : [],
      fix: flags.fix ? { progress, stop, runId: newRunId(), registry, forget } : undefined,
    });
    if (flags.shell) this.logText(endpoint === undefined ? '' : shellLines(endpointEnv(endpoint)));
    else if (!flags.quiet) for (const check of checks) this.log(format(check), marks[check.state]);
    throwIfProblem(checks, flags.quiet || flags.shell);
    const { url, source, reason, warnings } = endpoint ?? {};
    return { checks, ...(endpoint && { engine: { url, source, reason, warnings, info } }) };
  }
}

/** Formats the lines after the mark. */
function format({ name, detail, todo }: Check): string[] {
  return [`  ${name.padEnd(7)} ${detail}`, ...todo.map((each) => `                  try: ${each}`)];
}

function throwIfProblem(checks: Check[], silently: boolean): void {
  const problems = checks.filter(({ state }) => state === 'problem');
  if (problems.length === 0) return;
  const names = problems.map(({ name }) => name);
  throw new GbuildError(
    names.includes('engine') ? 'engine-unreachable' : names.includes('store') ? 'store-failed' : 'spec-invalid',
    silently ? problems.map(({ detail }) => detail).join('; ') : `${names.join(' and ')}: see above`,
    {
      suggestions: problems.flatMap(({ todo }) => todo),
      facts: { checks },
    },
  );
}

/** Formats `export NAME='value'` for a POSIX shell. */
function shellLines(env: Record<string, string>): string {
  return Object.entries(env)
    .map(([name, value]) => `export ${name}='${value.replaceAll("'", `'\\''`)}'`)
    .join('\n');
}
