import semver from 'semver';
import { GbuildError } from '../../errors.ts';

/**
 * Pattern of a package in an npm registry, with or without a scope. No address, alias, folder or option of npm has this
 * form.
 */
export const packageName = /^(?:@[a-z0-9][\w.-]*\/)?[a-z0-9][\w.-]*$/i;

/**
 * Builds the argument for npm: a registry's name and an exact version. npm also accepts addresses of git repositories,
 * and would run their settings and scripts on this host. Throws 'toolchain-failed' for anything else.
 */
export function exactPackage(name: string, version: string): string {
  if (packageName.test(name) && semver.valid(version) === version) return `${name}@${version}`;
  throw new GbuildError(
    'toolchain-failed',
    `${JSON.stringify(`${name}@${version}`)} is not a package of an npm registry at an exact version: gbuild fetches nothing else`,
    { suggestions: [`npm view '${name.replaceAll(/[^\w@/.-]/g, '')}' versions`], facts: { name, version } },
  );
}
