import { Args, Flags } from '@oclif/core';
import type { RotatedRelease, RotateReport } from '../../actions/rotate/report.ts';
import { rotateReleases } from '../../actions/rotate/rotate.ts';
import { type ErrorCode, GbuildError } from '../../errors.ts';
import { durationGrammar, parseDuration } from '../../spec/schema/units.ts';
import { engineFlags } from '../base/base-command.ts';
import { EngineCommand, formatTable } from '../base/engine-command.ts';
import { attestFlag, signKeyFlag } from '../base/push-flags.ts';

export default class RotateCommand extends EngineCommand {
  static override strict = false;
  static override summary = 'Put the releases that channels hold on the base images of today';
  static override description =
    'Each release on a channel whose base has moved is put on the base of today without building it again, released as the next version, pushed, and put on the same channels by their rules. Without a name this repository, and outside of one all that the registry lists. A failure of one release does not stop the others.';
  static override args = { name: Args.string({ description: 'names of images, e.g. acme/hello' }) };
  static override flags = {
    ...engineFlags,
    registry: Flags.string({
      helpValue: 'HOST[:PORT]',
      description: 'registry of the releases; by default GBUILD_REGISTRY, or registry in gbuild.yml',
    }),
    'base-older-than': Flags.string({ helpValue: 'TIME', description: 'leave bases that are younger, e.g. 14d' }),
    smoke: Flags.boolean({ description: 'start each new release before it gets its name, until it is well' }),
    'dry-run': Flags.boolean({ description: 'only list what would be done' }),
    'sign-key': signKeyFlag,
    attest: attestFlag,
  };
  static override examples = [
    '<%= config.bin %> rotate --dry-run',
    '<%= config.bin %> rotate --smoke --base-older-than 14d',
    '<%= config.bin %> rotate --registry registry.example.com   # all that it lists',
  ];

  async run() {
    const { flags, argv } = await this.parse(RotateCommand);
    const { registry, smoke = false, attest } = flags;
    const report = await this.withEngine(flags, (open) =>
      rotateReleases({
        ...open,
        runId: open.engine.runId,
        names: argv.map(String),
        registry,
        smoke,
        attest,
        dryRun: flags['dry-run'] ?? false,
        baseOlderThan: readAge(flags['base-older-than']),
        keyFile: flags['sign-key'],
      }),
    );
    this.logText(formatReport(report));
    throwIfFailed(report);
    return report;
  }
}

/** Reads a time such as 14d or 36h. Returns seconds. */
function readAge(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const days = /^(\d{1,5})d$/.exec(text)?.[1];
  if (days !== undefined) return Number(days) * 86_400;
  const seconds = durationGrammar.test(text) ? parseDuration(text) : undefined;
  if (seconds !== undefined) return seconds;
  throw new GbuildError('usage', `--base-older-than ${text}: expected a time such as 14d, 36h or 90m`, {
    suggestions: ['gbuild rotate --base-older-than 14d'],
  });
}

function formatReport({ releases }: RotateReport): string {
  if (releases.length === 0) return 'no channel holds a release';
  const rows = releases.map((each) => [each.name, each.version, each.channels.join(', '), each.state, describe(each)]);
  const waits = releases.flatMap(({ name, moves }) =>
    moves.flatMap(({ channel, waits: wait }) =>
      wait === undefined
        ? []
        : [`${name} ${channel}: ${wait.why}`, ...wait.suggestions.map((each) => `  try: ${each}`)],
    ),
  );
  return [formatTable([['NAME', 'VERSION', 'CHANNELS', 'STATE', 'RESULT'], ...rows]), ...waits].join('\n');
}

function describe({ state, next, base = '', made, moves, error }: RotatedRelease): string {
  if (error !== undefined) return error.message.split('\n')[0]!;
  if (state === 'due') return `would be ${next} on ${base}`;
  if (state !== 'rotated') return base;
  const moved = moves.filter(({ waits }) => waits === undefined).map(({ channel }) => channel);
  const waiting = moves.filter(({ waits }) => waits !== undefined).map(({ channel }) => channel);
  return [
    `${next} on ${base}${made === false ? ' (made before)' : ''}`,
    ...(moved.length > 0 ? [`on ${moved.join(', ')}`] : []),
    ...(waiting.length > 0 ? [`waits: ${waiting.join(', ')}`] : []),
  ].join('; ');
}

/** Ends with the exit code of the first failure: infrastructure first, because trying again may help. */
function throwIfFailed(report: RotateReport): void {
  const failed = report.releases.filter(({ error }) => error !== undefined);
  const [first] = failed.toSorted((a, b) => b.error!.exitCode - a.error!.exitCode);
  if (first === undefined) return;
  const { code, message, exitCode, suggestions } = first.error!;
  const others = failed.length === 1 ? '' : `; ${failed.length - 1} more failed`;
  throw new GbuildError(code as ErrorCode, `${first.name}:${first.version}: ${message}${others}`, {
    exitCode,
    suggestions,
    facts: report,
  });
}
