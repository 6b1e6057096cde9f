import { joinLicences, readLicence } from './licence.ts';
import type { FoundPackage } from './package.ts';

/**
 * Reads the gem of a gemspec as text: it is Ruby, and never run. A value that is an expression comes from the file's
 * name instead, `NAME-VERSION[-PLATFORM].gemspec`.
 */
export function parseGemspec(text: string, path: string): FoundPackage[] {
  const file = /([^/]+)\.gemspec$/.exec(path)?.[1] ?? '';
  const [, fileName, fileVersion] = /^(.+?)-(\d[\w.]*)(?:-.+)?$/.exec(file) ?? [];
  const name = readText(text, 'name') ?? fileName;
  const version = readText(text, 'version') ?? fileVersion;
  if (name === undefined || version === undefined) return [];
  const platform = readText(text, 'platform');
  const licence = joinLicences(
    readList(text, 'licenses?').flatMap((each) => readLicence(each) ?? []),
    'OR',
  );
  return [
    {
      type: 'gem',
      name,
      version,
      ...(platform !== undefined && platform !== 'ruby' && { qualifiers: { platform } }),
      ...(licence !== undefined && { licence }),
    },
  ];
}

function readText(text: string, key: string): string | undefined {
  const value = `(?:Gem::Version\\.new\\(?\\s*)?["']([^"'#]+)["']`;
  return new RegExp(`^\\s*\\w+\\.${key}\\s*=\\s*${value}`, 'm').exec(text)?.[1];
}

function readList(text: string, key: string): string[] {
  const value = new RegExp(`^\\s*\\w+\\.${key}\\s*=\\s*(.*)$`, 'm').exec(text)?.[1] ?? '';
  return [...value.matchAll(/["']([^"']+)["']/g)].map(([, each]) => each!);
}
