import { escapeLine } from '../escape.ts';
import { isDigest } from '../oci/digest.ts';
import { formatBytes, formatDigest } from '../reporter/format.ts';
import type { PackageDifference } from './compare-packages.ts';
import type { FileDifference } from './compare-trees.ts';
import type { ImageDifference } from './difference.ts';
import { formatMode } from './format-files.ts';
import type { FileFacts } from './layer-files.ts';
import type { LayerMatch } from './match-layers.ts';
import { shorten } from './shorten.ts';

/** Formats the difference for people: `-` was removed, `+` was added, `~` changed. Control characters are escaped. */
export function formatDifference(difference: ImageDifference): string {
  const { before, after, isSame, config, origin, layers, files, packages } = difference;
  if (isSame)
    return `${escapeLine(before.reference)} and ${escapeLine(after.reference)} are the same image (${formatDigest(after.imageId)})`;
  // The history changes with every layer: it is shown only when nothing else differs.
  const told = [...config, ...origin].filter(({ what }, _, all) => what !== 'history' || all.length === 1);
  const settings = told.map(
    ({ what, before: old, after: now }) => `~ ${escapeLine(what)}: ${showValue(old)}, now ${showValue(now)}`,
  );
  return [
    [`- ${nameImage(before)}`, `+ ${nameImage(after)}`],
    section('config', settings),
    section('layers', layers.map(formatLayer)),
    section(summarise('files', files), files.map(formatFile)),
    section('packages', packages.map(formatPackage)),
  ]
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n');
}

function showValue(text: string): string {
  return isDigest(text) ? formatDigest(text) : escapeLine(text);
}

function section(title: string, lines: string[]): string[] {
  return lines.length === 0 ? [] : [title, ...lines];
}

function nameImage({ reference, imageId }: ImageDifference['before']): string {
  return `${escapeLine(reference)} (${formatDigest(imageId)})`;
}

function formatLayer({ change, before, after }: LayerMatch): string {
  const { name, diffId, size } = (after ?? before)!;
  const title = shorten(name === '' ? formatDigest(diffId) : name, 50);
  if (change === 'changed') return `~ ${title}: ${formatBytes(before!.size)}, now ${formatBytes(size)}`;
  return `${{ same: '=', added: '+', removed: '-' }[change]} ${title}: ${formatBytes(size)}`;
}

function summarise(title: string, files: readonly FileDifference[]): string {
  const count = (change: FileDifference['change']) => files.filter((each) => each.change === change).length;
  return `${title}: ${count('added')} added, ${count('removed')} removed, ${count('changed')} changed`;
}

function formatFile({ path, change, before, after, what }: FileDifference): string {
  if (change === 'added') return `+ ${escapeLine(path)}${describe(after!)}`;
  if (change === 'removed') return `- ${escapeLine(path)}${describe(before!)}`;
  return `~ ${escapeLine(path)}: ${what.map((each) => explain(each, before!, after!)).join(', ')}`;
}

function describe({ type, size, linkTarget }: FileFacts): string {
  if (type === 'file') return ` (${formatBytes(size)})`;
  return type === 'symlink' ? ` -> ${escapeLine(linkTarget ?? '')}` : ` (${type})`;
}

function explain(what: FileDifference['what'][number], old: FileFacts, now: FileFacts): string {
  const change = (was: string, is: string) => `${was}, now ${is}`;
  if (what === 'type') return change(old.type, now.type);
  if (what === 'mode') return change(formatMode(old.mode), formatMode(now.mode));
  if (what === 'owner') return change(`${old.uid}:${old.gid}`, `${now.uid}:${now.gid}`);
  if (what === 'target') return `-> ${change(escapeLine(old.linkTarget ?? ''), escapeLine(now.linkTarget ?? ''))}`;
  if (what === 'attributes') return 'other extended attributes';
  return old.size === now.size
    ? `${formatBytes(now.size)} of other content`
    : change(formatBytes(old.size), formatBytes(now.size));
}

function formatPackage({ type, name, before, after }: PackageDifference): string {
  const sign = before.length === 0 ? '+' : after.length === 0 ? '-' : '~';
  const versions = [before, after].filter(({ length }) => length > 0).map((each) => each.join(' '));
  return `${sign} ${type} ${escapeLine(name)} ${escapeLine(versions.join(', now '))}`;
}
