import type { Catalog } from './catalog.ts';
import type { ToolchainData } from './catalog-schema.ts';
import { factName, readFact } from './facts.ts';
import type { ToolchainRequest } from './lock-state.ts';
import type { OptionValue } from './options.ts';
import { chooseVersion, parseRange } from './versions.ts';

/** What a file of the repository says, and which one. */
export interface Found {
  value: string;
  because: string;
}

/**
 * What the spec does not say of a toolchain, the repository's own files decide as far as they do: its version, and options
 * such as the package manager's version.
 */
export function askRepository(rootDir: string, request: ToolchainRequest, catalog: Catalog): ToolchainRequest {
  const data = request.kind === 'catalog' ? catalog.find(request.name)?.data : undefined;
  if (request.kind !== 'catalog' || data === undefined) return request;
  const found = request.range === '*' ? findVersion(rootDir, data) : undefined;
  const asked = found === undefined ? {} : { range: found.value, request: `${request.name}@${found.value}` };
  return { ...request, ...asked, options: { ...findOptions(rootDir, data), ...request.options } };
}

function findOptions(rootDir: string, data: ToolchainData): Record<string, OptionValue> {
  const found = Object.entries(data.options).flatMap(([name, { ask }]) => {
    for (const { value, ...fact } of ask) {
      const text = readFact(rootDir, fact)?.trim();
      if (text !== undefined) return [[name, value ?? text] as const];
    }
    return [];
  });
  return Object.fromEntries(found);
}

/** The first file that names a version which the catalog can serve; text that is no version is passed over. */
export function findVersion(rootDir: string, data: ToolchainData): Found | undefined {
  for (const fact of data.detect.version) {
    const text = readFact(rootDir, fact)?.trim();
    if (text === undefined || text === '') continue;
    const range = data.aliases[text.toLowerCase()] ?? text.replace(/^v(?=\d)/, '');
    if (isServed(data, range)) return { value: range, because: `${factName(fact)} asks for ${text}` };
  }
  return undefined;
}

function isServed(data: ToolchainData, range: string): boolean {
  try {
    parseRange(data, range);
    return chooseVersion(data, range) !== '';
  } catch {
    return false;
  }
}
