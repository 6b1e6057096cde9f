import { GbuildError } from '../../errors.ts';
import type { ToolchainRequest } from '../../spec/types.ts';
import type { Catalog } from '../catalog/catalog.ts';
import type { ToolchainData } from '../catalog/catalog-schema.ts';

import { chooseVersion } from '../resolve/versions.ts';
import { readChoices } from './choices.ts';
import type { Chosen } from './facts.ts';
import { findOptions } from './find-options.ts';
import { findUnmet, findVersion } from './find-version.ts';

/** Request with the additions from the repository's files, and notes about them for people. */
export interface AskedToolchain {
  request: ToolchainRequest;
  /** Values that conditions of the toolchain's data use. */
  chosen: Chosen;
  notes: string[];
}

/**
 * Completes a request by the repository's own files: its version, and options such as the package manager's version.
 * Throws 'toolchain-unknown' where the catalog has no version that the files allow.
 */
export function askRepository(rootDir: string, request: ToolchainRequest, catalog: Catalog): AskedToolchain {
  const data = request.kind === 'catalog' ? catalog.find(request.name)?.data : undefined;
  if (request.kind !== 'catalog' || data === undefined) return { request, chosen: {}, notes: [] };
  const chosen = readChoices(rootDir, data, request.options);
  const found = request.range === '*' ? findVersion(rootDir, data, chosen) : undefined;
  const asked = found === undefined ? {} : { range: found.value, request: `${request.name}@${found.value}` };
  const range = found?.value ?? request.range;
  const options = { ...findOptions(rootDir, data, { range, chosen }), ...request.options };
  const unmet = request.range === '*' ? [] : checkUnmet(rootDir, data, range, { chosen, options: request.options });
  return {
    request: { ...request, ...asked, options },
    chosen,
    notes: [...(found?.isOther === true ? [found.because] : []), ...unmet],
  };
}

/** Checks the requirements that the spec's version does not meet. Throws where the tool is known to refuse it. */
function checkUnmet(
  rootDir: string,
  data: ToolchainData,
  range: string,
  spec: Parameters<typeof findUnmet>[3],
): string[] {
  let version: string;
  try {
    version = chooseVersion(data, range);
  } catch {
    // Resolving it reports its own reason.
    return [];
  }
  const unmet = findUnmet(rootDir, data, version, spec);
  const refused = unmet.find(({ remedy }) => remedy !== undefined);
  if (refused === undefined) return unmet.map(({ because }) => because);
  throw new GbuildError('toolchain-unknown', `${refused.because}: its own tool refuses that`, {
    suggestions: [refused.remedy!],
  });
}
