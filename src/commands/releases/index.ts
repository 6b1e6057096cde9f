import { Args, Flags } from '@oclif/core';
import { type ListedRelease, listReleases } from '../../actions/release/list/list-releases.ts';
import { formatAge, formatDigest } from '../../reporter/format.ts';
import { engineFlags } from '../base/base-command.ts';
import { EngineCommand, formatTable } from '../base/engine-command.ts';

export default class ReleasesCommand extends EngineCommand {
  static override summary = 'List the releases of this machine and of the registry, the newest version first';
  static override description =
    'Lists those of this repository, or outside of one those of every name. The registry is asked if --registry, GBUILD_REGISTRY or gbuild.yml names one. An engine is optional: it tells which bases are current.';
  static override args = { name: Args.string({ description: 'name of the image, e.g. acme/hello' }) };
  static override flags = {
    ...engineFlags,
    all: Flags.boolean({ description: 'list every name that this machine has' }),
    registry: Flags.string({
      helpValue: 'HOST[:PORT]',
      description: 'registry to ask too; by default GBUILD_REGISTRY, or registry in gbuild.yml',
    }),
  };
  static override examples = [
    '<%= config.bin %> releases',
    '<%= config.bin %> releases hello --registry registry.example.com',
    '<%= config.bin %> releases --all --json',
  ];

  async run() {
    const { flags, args } = await this.parse(ReleasesCommand);
    const { all, registry } = flags;
    const now = Date.now();
    const releases = await this.withEngine(flags, (open) => {
      return listReleases({ ...open, name: args.name, all, registry });
    });
    const rows = [headings, ...releases.map((each) => rowOf(each, now))];
    // The platform is shown only where an index lists several, channels only where there are any.
    const isIndexed = new Set(releases.map(({ reference }) => reference)).size < releases.length;
    const hasChannels = releases.some(({ channels }) => channels !== undefined);
    const hidden = [...(isIndexed ? [] : ['PLATFORM']), ...(hasChannels ? [] : ['CHANNEL'])];
    const shown = rows.map((row) => row.filter((_, column) => !hidden.includes(headings[column]!)));
    this.logText(releases.length === 0 ? 'no releases' : formatTable(shown));
    return { releases };
  }
}

const headings = ['NAME', 'VERSION', 'PLATFORM', 'IMAGE', 'COMMIT', 'BASE', 'AGE', 'CHANNEL', 'WHERE'];

function rowOf(release: ListedRelease, now: number) {
  const { name, version, platform, imageId, commit = '', base, created, channels = [], where, conflicts } = release;
  const state = base?.isTodays === undefined ? '' : base.isTodays ? " (today's)" : ' (old)';
  const age = created === undefined ? '' : formatAge((now - Date.parse(created)) / 1000);
  const places = where.join(', ') + (conflicts ? ' (another image!)' : '');
  return [
    name,
    version,
    platform,
    formatDigest(imageId),
    commit.slice(0, 7),
    `${base?.name ?? ''}${state}`,
    age,
    channels.join(', '),
    places,
  ];
}
