import type { Package } from '../attest/packages/package.ts';

/** Difference of two images in one package; versions are sorted, because an image may have several. */
export interface PackageDifference {
  type: string;
  /** Name with its namespace: `org.slf4j/slf4j-api`. */
  name: string;
  before: string[];
  after: string[];
}

/** Lists the packages whose versions differ, sorted by type and name. */
export function comparePackages(before: readonly Package[], after: readonly Package[]): PackageDifference[] {
  const [old, now] = [groupVersions(before), groupVersions(after)];
  return [...new Set([...old.keys(), ...now.keys()])].sort().flatMap((key) => {
    const [type = '', name = ''] = key.split(' ');
    const [was, is] = [old.get(key) ?? [], now.get(key) ?? []];
    return was.join(' ') === is.join(' ') ? [] : [{ type, name, before: was, after: is }];
  });
}

/** Returns a package's name in its own ecosystem's spelling. */
export function nameOfPackage({ type, namespace, name }: Package): string {
  return namespace === undefined || type === 'deb' ? name : `${namespace}/${name}`;
}

function groupVersions(packages: readonly Package[]): Map<string, string[]> {
  const groups = new Map<string, Set<string>>();
  for (const each of packages) {
    const key = `${each.type} ${nameOfPackage(each)}`;
    groups.set(key, (groups.get(key) ?? new Set()).add(each.version));
  }
  return new Map([...groups].map(([key, versions]) => [key, [...versions].sort()]));
}
