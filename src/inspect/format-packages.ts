import type { Package } from '../attest/packages/package.ts';
import { escapeLine } from '../escape.ts';
import { formatColumns } from './columns.ts';
import { nameOfPackage } from './compare-packages.ts';
import { shorten } from './shorten.ts';

const mostLicences = 8;

/** Formats the number of packages of each type and of each licence. */
export function formatPackageKinds(packages: readonly Package[]): string[] {
  if (packages.length === 0) return ['packages none'];
  const kinds = countBy(packages, ({ type }) => [type]);
  return [
    `packages ${packages.length}`,
    ...kinds.flatMap(([type, count]) => {
      const licences = countBy(
        packages.filter((each) => each.type === type),
        namesOfLicences,
      );
      const shown = licences.slice(0, mostLicences).map(([licence, times]) => `${shorten(licence, 40)} ${times}`);
      const others = licences.length - shown.length;
      return wrap(`${type} ${count}: `, [...shown, ...(others > 0 ? [`${others} other licences`] : [])]);
    }),
  ];
}

/** Lists each licence of an SPDX expression with its exception, for any operators. */
function namesOfLicences({ licence = 'unknown' }: Package): string[] {
  const names = licence.match(/[^()\s]+(?: WITH [^()\s]+)?/g) ?? [];
  return [...new Set(names)].filter((name) => name !== 'AND' && name !== 'OR');
}

/** Joins words by commas in lines of at most 80 characters. */
function wrap(title: string, words: string[]): string[] {
  const lines: string[] = [];
  let line = title;
  for (const [index, word] of words.entries()) {
    const piece = `${word}${index < words.length - 1 ? ', ' : ''}`;
    if (line.length + piece.trimEnd().length > 80) {
      lines.push(line.trimEnd());
      line = '  ';
    }
    line += piece;
  }
  return [...lines, line.trimEnd()];
}

function countBy<T>(values: readonly T[], keysOf: (value: T) => string[]): [string, number][] {
  const counts = new Map<string, number>();
  for (const key of values.flatMap(keysOf)) counts.set(key, (counts.get(key) ?? 0) + 1);
  return [...counts].sort(([a, many], [b, more]) => more - many || (a < b ? -1 : 1));
}

/** Formats every package, one a line. */
export function formatPackages(packages: readonly Package[]): string {
  const rows = packages.map((each) => [
    each.type,
    escapeLine(nameOfPackage(each)),
    escapeLine(each.version),
    escapeLine(each.licence ?? 'unknown'),
  ]);
  return formatColumns([['type', 'package', 'version', 'licence'], ...rows]).join('\n');
}
