import { parseJsonObject } from '../../oci/json.ts';
import { joinLicences, readLicence } from './licence.ts';
import type { FoundPackage } from './package.ts';

/** Reads the package of a package.json below node_modules; none where it has no name or version. */
export function parsePackageJson(text: string): FoundPackage[] {
  const { name, version, ...rest } = (parseJsonObject(text) ?? {}) as Record<string, unknown>;
  if (typeof name !== 'string' || typeof version !== 'string' || name === '') return [];
  const slash = name.lastIndexOf('/');
  const licence = readLicences(rest);
  return [
    {
      type: 'npm',
      ...(slash > 0 && { namespace: name.slice(0, slash) }),
      name: name.slice(slash + 1),
      version,
      ...(licence !== undefined && { licence }),
    },
  ];
}

/**
 * Reads the licences. `license` is an expression; `{ type }` and the list `licenses`, a choice, are npm's older forms.
 */
function readLicences({ license, licenses }: Record<string, unknown>): string | undefined {
  const listed = [license, licenses].flat().flatMap((each) => {
    const named: unknown = typeof each === 'object' && each !== null && 'type' in each ? each.type : each;
    return typeof named === 'string' ? (readLicence(named) ?? []) : [];
  });
  return joinLicences(listed, 'OR');
}
