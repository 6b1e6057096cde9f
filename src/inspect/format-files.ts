import { escapeLine } from '../escape.ts';
import { formatDigest } from '../reporter/format.ts';
import { formatColumns } from './columns.ts';
import type { FileFacts } from './layer-files.ts';
import type { ImageReport, LayerReport } from './report.ts';

const letters: Record<FileFacts['type'], string> = {
  file: '-',
  hardlink: 'h',
  directory: 'd',
  symlink: 'l',
  character: 'c',
  block: 'b',
  fifo: 'p',
  whiteout: 'x',
};

/** Formats every path of every layer like `ls`; sizes in bytes. */
export function formatFiles({ layers }: ImageReport): string {
  const listed = layers.map((layer, index) => [formatTitle(layer, index), ...formatRows(layer.files ?? [])].join('\n'));
  return listed.join('\n\n');
}

/** Formats one line for each path: type and mode, owner, bytes, path. */
export function formatRows(files: readonly FileFacts[]): string[] {
  const rows = files.map((file) => [
    `${letters[file.type]}${formatMode(file.mode)}`,
    `${file.uid}:${file.gid}`,
    `${file.size}`,
    formatName(file),
  ]);
  return formatColumns(rows, [2]);
}

/** Formats `rwxr-xr-x`, with set-id and sticky bits as in `ls`. */
export function formatMode(mode: number): string {
  const bits = [8, 7, 6, 5, 4, 3, 2, 1, 0].map((bit) => ((mode & (1 << bit)) === 0 ? '-' : 'rwx'[(8 - bit) % 3]!));
  const special: [number, number, string][] = [
    [0o4000, 2, 's'],
    [0o2000, 5, 's'],
    [0o1000, 8, 't'],
  ];
  for (const [flag, at, letter] of special)
    if ((mode & flag) !== 0) bits[at] = bits[at] === 'x' ? letter : letter.toUpperCase();
  return bits.join('');
}

/** Formats the name of a path; a removed one shows its former name. */
export function formatName({ path, type, linkTarget }: FileFacts): string {
  if (type === 'whiteout') {
    const hidden = path.replace(/\.wh\.(\.wh\.\.opq)?([^/]*)$/, (_, opaque, name: string) => (opaque ? '*' : name));
    return `${escapeLine(hidden)} (taken away)`;
  }
  return linkTarget === undefined ? escapeLine(path) : `${escapeLine(path)} -> ${escapeLine(linkTarget)}`;
}

function formatTitle({ name, diffId }: LayerReport, index: number): string {
  return `layer ${index + 1}: ${escapeLine(name || formatDigest(diffId))}`;
}
