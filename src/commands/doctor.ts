import { Args, Flags } from '@oclif/core';
import { endpointEnv } from '../engine/endpoint.ts';
import { GbuildError } from '../errors.ts';
import { type Check, checkNames, diagnose } from '../pipeline/doctor.ts';
import { BaseCommand, engineFlags } from './base.ts';
import { coloursOf } from './print.ts';

const { green, yellow, red } = coloursOf(process.stdout);
const marks = { ok: green('ok     '), warning: yellow('warning'), problem: red('problem') };

export default class DoctorCommand extends BaseCommand {
  static override summary = 'Look at everything a run depends on, and say what to do about each';
  static override description =
    'Looks at Node, engine, disk, proxy, CA roots, clock, spec and lock. Exits with 3 when the engine is a problem, with 2 when the spec or the lock is.';
  static override args = { check: Args.string({ options: [...checkNames], description: 'look at this only' }) };
  static override flags = {
    ...engineFlags,
    shell: Flags.boolean({
      description: 'print the chosen engine as lines for a shell to evaluate',
      exclusive: ['json'],
    }),
  };
  static override examples = [
    '<%= config.bin %> doctor',
    '<%= config.bin %> doctor engine --json',
    'eval "$(<%= config.bin %> doctor engine --shell)"',
  ];

  async run() {
    const { flags, args } = await this.parse(DoctorCommand);
    const { checks, endpoint, info } = await diagnose({
      host: this.readHost(flags),
      installDir: this.config.root,
      choice: flags,
      nodeVersion: process.versions.node,
      only: args.check === undefined ? [] : [args.check],
    });
    if (flags.shell) this.logText(endpoint === undefined ? '' : shellLines(endpointEnv(endpoint)));
    else if (!flags.quiet) for (const check of checks) this.log(format(check), marks[check.state]);
    throwIfProblem(checks, flags.quiet || flags.shell);
    const { url, source, reason, warnings } = endpoint ?? {};
    return { checks, ...(endpoint && { engine: { url, source, reason, warnings, info } }) };
  }
}

/** Follows its mark. */
function format({ name, detail, todo }: Check): string[] {
  return [`  ${name.padEnd(7)} ${detail}`, ...todo.map((each) => `                  try: ${each}`)];
}

function throwIfProblem(checks: Check[], silently: boolean): void {
  const problems = checks.filter(({ state }) => state === 'problem');
  if (problems.length === 0) return;
  const names = problems.map(({ name }) => name);
  throw new GbuildError(
    names.includes('engine') ? 'engine-unreachable' : 'spec-invalid',
    silently ? problems.map(({ detail }) => detail).join('; ') : `${names.join(' and ')}: see above`,
    {
      suggestions: problems.flatMap(({ todo }) => todo),
      facts: { checks },
    },
  );
}

/** `export NAME='value'` for a POSIX shell. */
function shellLines(env: Record<string, string>): string {
  return Object.entries(env)
    .map(([name, value]) => `export ${name}='${value.replaceAll("'", `'\\''`)}'`)
    .join('\n');
}
