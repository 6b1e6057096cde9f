import { escapeLine } from '../escape.ts';
import { formatBytes, formatDigest } from '../reporter/format.ts';
import type { Attached } from './attached.ts';
import { formatColumns } from './columns.ts';
import { formatPackageKinds } from './format-packages.ts';
import { type ImageOrigin, type ImageReport, titleLayers } from './report.ts';
import { shorten } from './shorten.ts';

const places: Record<ImageOrigin['kind'], string> = {
  store: 'the release store',
  layout: 'the layout',
  archive: 'the archive',
  registry: 'the registry',
  engine: 'the engine at',
};

/** Formats the report for a terminal of 80 columns and for pipes: one fact a line, with control characters escaped. */
export function formatReport(report: ImageReport): string {
  const sections = [
    formatFacts([...listFacts(report), ...listSettings(report).filter(isNews)]),
    formatLayers(report),
    formatLargest(report),
    formatPackageKinds(report.packages),
    ...(report.attached === undefined ? [] : [formatAttached(report.attached)]),
  ];
  return sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n');
}

/** Lists the facts of an image, in pairs of a title and a text. */
export function listFacts(report: ImageReport): [string, string | undefined][] {
  const { reference, imageId, manifestDigest, platform, created, version, commit, source, toolchain, base } = report;
  return [
    ['name', reference],
    ['from', `${places[report.origin.kind]} ${report.origin.place}`],
    ['id', imageId],
    ['manifest', manifestDigest],
    ['platform', platform],
    ['created', created],
    ['version', version],
    ['commit', commit],
    ['source', source],
    ['built in', toolchain],
    ['base', base && [base.name, base.digest && `(${formatDigest(base.digest)})`].filter(Boolean).join(' ')],
  ];
}

/** Lists the run config, in pairs of a title and a text. */
export function listSettings({ config }: ImageReport): [string, string | undefined][] {
  const { entrypoint, cmd, user, workdir, env, ports, volumes, health, labels } = config;
  const starts = [...entrypoint, ...cmd].map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : JSON.stringify(word)));
  return [
    ['starts', starts.join(' ')],
    ['user', user],
    ['folder', workdir],
    ['ports', ports.join(' ')],
    ['volumes', volumes.join(' ')],
    ['health', health?.join(' ')],
    ...env.map(({ name, value }): [string, string] => ['env', `${name}=${value}`]),
    ...Object.entries(labels).map(([name, value]): [string, string] => ['label', `${name}=${value}`]),
  ];
}

/** Whether a label was not shown already. */
function isNews([title, text]: [string, string | undefined]): boolean {
  return title !== 'label' || !toldLabels.test(text ?? '');
}

const toldLabels =
  /^(org\.opencontainers\.image\.(version|revision|source|created|base\.name|base\.digest)|io\.gbuild\.toolchain)=/;

function formatFacts(pairs: [string, string | undefined][]): string[] {
  const known = pairs.filter((pair): pair is [string, string] => pair[1] !== undefined && pair[1] !== '');
  return known.map(
    ([title, text], index) => `${(known[index - 1]?.[0] === title ? '' : title).padEnd(9)}${escapeLine(text)}`,
  );
}

function formatLayers({ layers, size, packedSize, fileCount }: ImageReport): string[] {
  const isPacked = packedSize !== undefined;
  const row = (number: string, unpacked: string, packed: string, files: string, name: string) =>
    isPacked ? [number, unpacked, packed, files, name] : [number, unpacked, files, name];
  const titles = titleLayers(layers);
  const rows = layers.map((layer, index) =>
    row(
      `${index + 1}`,
      formatBytes(layer.size),
      layer.packed ? formatBytes(layer.packed.size) : '',
      `${layer.fileCount}`,
      shorten(titles[index] ?? '', 40),
    ),
  );
  const total = row('', formatBytes(size), isPacked ? formatBytes(packedSize) : '', `${fileCount}`, 'together');
  return formatColumns(
    [row('layer', 'size', 'packed', 'files', 'name'), ...rows, total],
    isPacked ? [1, 2, 3] : [1, 2],
  );
}

function formatLargest({ largest }: ImageReport): string[] {
  if (largest.length === 0) return [];
  const rows = largest.map(({ path, size, layer }) => [formatBytes(size), `${layer}`, escapeLine(path)]);
  return ['largest files', ...formatColumns([['size', 'layer', 'path'], ...rows], [0])];
}

function formatAttached(attached: readonly Attached[]): string[] {
  if (attached.length === 0) return ['attached in the registry: nothing'];
  return [
    'attached in the registry, not verified',
    ...attached.flatMap(({ what, artifactType, digest, facts = {} }) => [
      `${formatDigest(digest)}  ${what}${what === 'artifact' ? ` ${escapeLine(artifactType)}` : ''}`,
      ...Object.entries(facts).map(([name, value]) => `  ${name}: ${escapeLine(value)}`),
    ]),
  ];
}
