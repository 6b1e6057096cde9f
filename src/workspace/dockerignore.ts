import { join, posix } from 'node:path';
import { GbuildError, messageOf } from '../errors.ts';
import { isThere, readWhole } from '../fs/read-bounded.ts';

/** Returns true for a path (relative to the root) that stays out of the build context. */
export type IsIgnored = (path: string) => boolean;

/** Reads the root's .dockerignore as Docker does. Without the file, only what gbuild never sends is ignored. */
export function readDockerignore(rootDir: string): IsIgnored {
  const file = join(rootDir, '.dockerignore');
  try {
    return parseDockerignore(readWhole(file).toString());
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT' && !isThere(file)) return () => false;
    if (cause instanceof GbuildError) throw cause;
    throw new GbuildError('workspace-unreadable', `${JSON.stringify(file)} cannot be read: ${messageOf(cause)}`, {
      cause,
    });
  }
}

interface Pattern {
  isException: boolean;
  matches: RegExp;
}

/**
 * Parses the rules of moby/patternmatcher, as BuildKit walks a context. The last pattern that matches wins, and a
 * pattern that has matched a folder applies to everything below it.
 */
export function parseDockerignore(text: string): IsIgnored {
  const patterns = text
    .replace(/^\ufeff/, '')
    .split(/\r?\n/)
    .filter((line) => !line.startsWith('#'))
    .flatMap(parsePattern);
  const known = new Map<string, Verdict>();
  const judge = (path: string): Verdict => {
    const cached = known.get(path);
    if (cached !== undefined) return cached;
    const parent = posix.dirname(path);
    const verdict = judgeBelow(patterns, path, parent === '.' ? undefined : judge(parent));
    known.set(path, verdict);
    return verdict;
  };
  return (path) => judge(path).isIgnored;
}

interface Verdict {
  isIgnored: boolean;
  /** Whether each pattern matched, by position. */
  matched: boolean[];
}

/**
 * Judges a path like `MatchesUsingParentResults`: a pattern that could not change the outcome is skipped, and counts as
 * not matched below.
 */
function judgeBelow(patterns: Pattern[], path: string, parent: Verdict | undefined): Verdict {
  let isIgnored = false;
  const matched = patterns.map(({ isException, matches }, i) => {
    const isMatch = parent?.matched[i] === true || (isException === isIgnored && matches.test(path));
    if (isMatch) isIgnored = !isException;
    return isMatch;
  });
  return { isIgnored, matched };
}

function parsePattern(line: string): Pattern[] {
  let text = line.trim();
  if (text === '') return [];
  const isException = text.startsWith('!');
  if (isException) text = text.slice(1).trim();
  if (text !== '') text = posix.normalize(text).replace(/(.)\/$/, '$1');
  if (text.length > 1 && text.startsWith('/')) text = text.slice(1);
  if (text === '')
    throw new GbuildError('spec-invalid', `illegal exclusion pattern in .dockerignore: ${JSON.stringify(line)}`);
  return [{ isException, matches: toRegExp(text, line) }];
}

/** Converts Go's filepath.Match with `**`: `*` and `?` stop at '/', `**` does not, a class is `[...]` or `[^...]`. */
function toRegExp(pattern: string, line: string): RegExp {
  let source = '';
  let inClass = false;
  for (let i = 0; i < pattern.length; i++) {
    const char = pattern[i]!;
    if (char === '*' && pattern[i + 1] === '*') {
      i++;
      if (pattern[i + 1] === '/') i++;
      source += i + 1 >= pattern.length ? '.*' : '(.*/)?';
    } else if (char === '*') source += '[^/]*';
    else if (char === '?') source += '[^/]';
    else if (char === '[' || char === ']') {
      source += inClass === (char === '[') ? `\\${char}` : char;
      inClass = char === '[';
    } else if (char === '\\') source += pattern[i + 1] === undefined ? '\\\\' : quote(pattern[++i]!);
    else source += inClass && char === '^' ? char : quote(char);
  }
  try {
    return new RegExp(`^${source}$`, 'su');
  } catch (cause) {
    throw new GbuildError('spec-invalid', `.dockerignore has a pattern that cannot be read: ${JSON.stringify(line)}`, {
      cause,
    });
  }
}

function quote(char: string): string {
  return /[.$^+(){}|\\/*?[\]]/.test(char) ? `\\${char}` : char;
}
