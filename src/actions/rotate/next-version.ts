import { inc, parse } from 'semver';

/** Returns the version after this one that is free: the next patch, or the next number of a pre-release. Pure. */
export function nextVersion(version: string, taken: ReadonlySet<string>): string {
  const step = (parse(version)?.prerelease.length ?? 0) > 0 ? 'prerelease' : 'patch';
  let next = version;
  do next = inc(next, step) ?? `${next}.1`;
  while (taken.has(next));
  return next;
}
