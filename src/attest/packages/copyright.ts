import { parseParagraphs } from './control.ts';
import { joinLicences, readLicence, referTo } from './licence.ts';

/**
 * Reads the licences of a Debian package: those of every `Files` paragraph of a machine-readable debian/copyright
 * (copyright-format 1.0), joined by AND. Undefined for a file in prose.
 */
export function parseCopyright(text: string): string | undefined {
  const [header, ...paragraphs] = parseParagraphs(text);
  if (!/copyright-format|dep5/i.test(header?.Format ?? header?.['Format-Specification'] ?? '')) return undefined;
  const named = paragraphs
    .filter((paragraph) => paragraph.Files !== undefined)
    .map((paragraph) => paragraph.License?.split('\n')[0]?.trim() ?? '')
    .filter((name) => name !== '');
  return joinLicences(new Set(named.flatMap((name) => translateExpression(name) ?? [])), 'AND');
}

/**
 * Translates an expression: `and` binds more than `or`, a comma before either less (copyright-format 1.0, "Syntax").
 */
function translateExpression(text: string): string | undefined {
  return (
    splitAt(text, /,\s*and\s+/i, 'AND') ??
    splitAt(text, /,?\s+or\s+/i, 'OR') ??
    splitAt(text, /,?\s+and\s+|,\s*/i, 'AND') ??
    translateName(text.trim())
  );
}

function splitAt(text: string, at: RegExp, operator: 'AND' | 'OR'): string | undefined {
  const parts = text.split(at).filter((part) => part.trim() !== '');
  return parts.length < 2
    ? undefined
    : joinLicences(
        parts.flatMap((part) => translateExpression(part) ?? []),
        operator,
      );
}

const shortNames: Record<string, string> = {
  expat: 'MIT',
  x11: 'X11',
  zlib: 'Zlib',
  cc0: 'CC0-1.0',
  artistic: 'Artistic-1.0-Perl',
  'artistic-2': 'Artistic-2.0',
  'sil-1.1': 'OFL-1.1',
  'bsl-1': 'BSL-1.0',
  '3c-bsd': 'BSD-3-Clause',
  rubylicense: 'Ruby',
  'gpl2-with-classpath-exception': 'GPL-2.0-only WITH Classpath-exception-2.0',
};

const exceptions: [RegExp, string][] = [
  [/^bison/i, 'Bison-exception-2.2'],
  [/^autoconf/i, 'Autoconf-exception-3.0'],
  [/^(gcc|gcc runtime library)/i, 'GCC-exception-3.1'],
  [/^libtool/i, 'Libtool-exception'],
  [/^(classpath|openjdk)/i, 'Classpath-exception-2.0'],
  [/^font/i, 'Font-exception-2.0'],
];

function translateName(name: string): string | undefined {
  const [, base = name, exception] = /^(\S+) with (.+?)( exception)?$/i.exec(name) ?? [];
  const known = shortNames[base.toLowerCase()] ?? translateGnu(base) ?? readLicence(base);
  if (exception === undefined || known === undefined) return known;
  const id = exceptions.find(([pattern]) => pattern.test(exception))?.[1];
  return id === undefined || known.startsWith('LicenseRef-') ? referTo(name) : `${known} WITH ${id}`;
}

/** Translates GNU names: `LGPL-2+` is LGPL-2.0-or-later. */
function translateGnu(name: string): string | undefined {
  const [, family, version, orLater] = /^(GPL|LGPL|AGPL|GFDL)-(\d(?:\.\d+)?)(\+)?$/i.exec(name) ?? [];
  if (family === undefined || version === undefined) return undefined;
  const full = version.includes('.') ? version : `${version}.0`;
  return readLicence(`${family.toUpperCase()}-${full}-${orLater === undefined ? 'only' : 'or-later'}`);
}
