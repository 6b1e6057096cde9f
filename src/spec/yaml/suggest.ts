/** Returns the candidate that a mistyped word most likely means; undefined when none is similar enough. */
export function suggest(word: string, candidates: Iterable<string>): string | undefined {
  const wanted = fold(word);
  const limit = wanted.length < 3 ? 0 : Math.max(1, Math.floor(wanted.length / 3));
  let best: { candidate: string; distance: number } | undefined;
  if (word.length > 64) return undefined;
  for (const candidate of candidates) {
    if (candidate === word || candidate.length > 64) continue;
    const distance = distanceBetween(wanted, fold(candidate), limit);
    if (distance <= limit && distance < (best?.distance ?? Number.POSITIVE_INFINITY)) best = { candidate, distance };
  }
  return best?.candidate ?? uniquePrefix(wanted, candidates);
}

/** Folds spellings: `pass_env`, `pass-env` and `PassEnv` all mean `passEnv`. */
function fold(word: string): string {
  return word.toLowerCase().replace(/[_\-\s]/g, '');
}

function uniquePrefix(wanted: string, candidates: Iterable<string>): string | undefined {
  if (wanted.length < 3) return undefined;
  const longer = [...candidates].filter(
    (candidate) => fold(candidate).startsWith(wanted) && fold(candidate) !== wanted,
  );
  return longer.length === 1 ? longer[0] : undefined;
}

/**
 * Computes the optimal string alignment: inserted, dropped, changed and swapped letters count one. Stops past the
 * limit.
 */
function distanceBetween(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) > limit) return limit + 1;
  let [before, row] = [[] as number[], Array.from({ length: b.length + 1 }, (_, at) => at)];
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      next[j] = Math.min(change, row[j]! + 1, next[j - 1]! + 1, swapped ? before[j - 2]! + 1 : change);
    }
    [before, row] = [row, next];
  }
  return row[b.length]!;
}
