import { Args, Flags } from '@oclif/core';
import { inc } from 'semver';
import { type BaseState, listOutdated } from '../actions/release/list/list-outdated.ts';
import { engineFlags } from './base/base-command.ts';
import { EngineCommand } from './base/engine-command.ts';

export default class OutdatedCommand extends EngineCommand {
  static override summary = 'List the releases on an outdated base image, and which packages have changed since';
  static override description =
    "Checks the newest release of each name in this machine's store and in the registry: of this repository, or outside of one of every name in the store. Exits with 1 if one has an outdated base, with 0 otherwise; a base that neither gbuild.lock nor the engine knows is not a failure.";
  static override args = { name: Args.string({ description: 'name of the image, e.g. acme/hello' }) };
  static override flags = {
    ...engineFlags,
    all: Flags.boolean({ description: 'check every release, not only the newest of each name' }),
    registry: Flags.string({
      helpValue: 'HOST[:PORT]',
      description: 'registry to check too; by default GBUILD_REGISTRY, or registry in gbuild.yml',
    }),
  };
  static override examples = ['<%= config.bin %> outdated', '<%= config.bin %> outdated hello --all --json'];

  async run() {
    const { flags, args } = await this.parse(OutdatedCommand);
    const { all = false, registry } = flags;
    const releases = await this.withEngine(flags, (open) => listOutdated({ ...open, name: args.name, all, registry }));
    this.log(releases.length === 0 ? 'no releases' : releases.flatMap(format));
    if (releases.some(({ state }) => state === 'outdated')) process.exitCode = 1;
    return { releases };
  }
}

const mostShown = 10;

function format({ reference, platform, base, state, today, changes }: BaseState): string[] {
  const what = platform === undefined ? reference : `${reference} for ${platform}`;
  if (state === 'current') return [`${what} is on the current ${base}`];
  if (state === 'unknown') return [`${what} is on ${base}; neither gbuild.lock nor this engine knows the current one`];
  const now = today === base ? 'the current one' : today;
  const way = platform === undefined ? `gbuild rebase ${reference}` : 'gbuild lock --update, then gbuild image';
  return [`${what} is on ${base}; ${now} has: ${describe(changes)}`, `  try: ${way} --release ${next(reference)}`];
}

function describe(changes: string[] | undefined): string {
  if (changes === undefined) return 'other layers, whose changes are not known';
  if (changes.length === 0) return 'other files, no other Debian package';
  const more = changes.length > mostShown ? [`and ${changes.length - mostShown} more`] : [];
  return [...changes.slice(0, mostShown), ...more].join(', ');
}

function next(reference: string): string {
  return inc(reference.slice(reference.lastIndexOf(':') + 1), 'patch') ?? 'VERSION';
}
