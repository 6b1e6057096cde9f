import type { Engine } from '../../../engine/engine.ts';
import { escapeLine } from '../../../escape.ts';
import { formatBytes } from '../../../reporter/format.ts';
import type { Progress } from '../../../reporter/progress.ts';
import type { ApplyReport } from '../../../sync/pull/apply-changes.ts';
import type { Sent } from '../../../sync/push/push.ts';

/** Describes what is sent, in one line. */
export function describeSent({ endpoint }: Engine, rootDir: string, { files, bytes, removed }: Sent): string {
  const gone = removed > 0 ? `, ${removed} removed` : '';
  if (files + removed === 0)
    return `the engine at ${endpoint.url} does not see ${rootDir}: the copy of the workspace there is up to date`;
  return `the engine at ${endpoint.url} does not see ${rootDir}: the workspace is sent there (${counted(files)}, ${formatBytes(bytes)}${gone})`;
}

/** Describes what is sent for a shard, which always works on its own copy. */
export function describeCopied({ endpoint }: Engine, { files, bytes, removed }: Sent): string {
  const gone = removed > 0 ? `, ${removed} removed` : '';
  if (files + removed === 0) return `its copy of the workspace on ${endpoint.url} is up to date`;
  return `its copy of the workspace is sent to ${endpoint.url} (${counted(files)}, ${formatBytes(bytes)}${gone})`;
}

const mostNamed = 10;

/** Reports how much came back, and warns of each file that did not. */
export function reportApplied(
  progress: Progress,
  rootDir: string,
  { files, bytes, removed, kept, refused }: ApplyReport,
): void {
  const gone = removed > 0 ? `, ${removed} removed` : '';
  if (files + removed > 0) progress.note(`brought back to ${rootDir}: ${counted(files)}, ${formatBytes(bytes)}${gone}`);
  warnOf(progress, 'changed here while the tasks ran, so it was not overwritten', kept);
  warnOfRefused(progress, refused);
}

export function warnOfRefused(progress: Progress, refused: string[]): void {
  warnOf(progress, 'not brought back from the engine', refused);
}

function warnOf(progress: Progress, what: string, paths: string[]): void {
  for (const path of paths.slice(0, mostNamed)) progress.warn(`${what}: ${escapeLine(path)}`);
  if (paths.length > mostNamed) progress.warn(`${what}: ${paths.length - mostNamed} more`);
}

function counted(files: number): string {
  return files === 1 ? '1 file' : `${files} files`;
}
