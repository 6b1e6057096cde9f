import { type BigIntStats, lstatSync } from 'node:fs';
import { join } from 'node:path';
import { askGit } from '../git/git.ts';
import type { GitRepository } from '../git/git-repository.ts';

/**
 * Finds the paths (relative to the top, changed according to git) that are as they were checked out. A file with a
 * filter has other bytes than its blob. Where the repository's config names the filter's program, git runs without it.
 * It then compares these bytes where the time alone does not decide, as in a fresh clone. Otherwise the index's record
 * of the file decides: times to the nanosecond, and size.
 */
export async function findUntouched(
  { topDir }: GitRepository,
  paths: string[],
  env: NodeJS.ProcessEnv,
): Promise<Set<string>> {
  if (paths.length === 0) return new Set();
  const filtered = await listFiltered(topDir, paths, env);
  if (filtered.size === 0) return filtered;
  const { stdout } = await askGit(topDir, ['ls-files', '--debug', '-z'], env);
  const untouched = new Set<string>();
  for (const [, path = '', ...known] of stdout.matchAll(indexEntry)) {
    if (!filtered.has(path)) continue;
    const stats = lstatSync(join(topDir, path), { bigint: true, throwIfNoEntry: false });
    if (stats !== undefined && isSame(known.map(BigInt), stats)) untouched.add(path);
  }
  return untouched;
}

async function listFiltered(topDir: string, paths: string[], env: NodeJS.ProcessEnv): Promise<Set<string>> {
  const input = paths.map((path) => `${path}\0`).join('');
  const { stdout } = await askGit(topDir, ['check-attr', '-z', '--stdin', 'filter'], env, { input });
  // Format: PATH, the attribute's name, its value.
  const words = stdout.split('\0');
  return new Set(
    words.filter((_, at) => at % 3 === 0 && !['unspecified', 'unset', 'set'].includes(words[at + 2] ?? 'unset')),
  );
}

/** Pattern of git-ls-files(1) --debug: path; seconds and nanoseconds of ctime and mtime; size. */
const indexEntry =
  /([^\0]*)\0 {2}ctime: (\d+):(\d+)\n {2}mtime: (\d+):(\d+)\n {2}dev: .*\n {2}uid: .*\n {2}size: (\d+)\tflags: .*\n/g;

function isSame([ctime, ctimeRest, mtime, mtimeRest, size]: bigint[], stats: BigIntStats): boolean {
  const isTime = (seconds = 0n, rest = 0n, known = 0n) =>
    seconds === known / 1_000_000_000n && (rest === 0n || rest === known % 1_000_000_000n);
  return isTime(ctime, ctimeRest, stats.ctimeNs) && isTime(mtime, mtimeRest, stats.mtimeNs) && size === stats.size;
}
