import semver from 'semver';
import { readVersionRange } from '../../spec/schema/version-text.ts';
import type { VersionFact } from '../catalog/rule-schema.ts';

/**
 * Parses a text in one of the notations into semver ranges, all of which a version must fit. Undefined for an invalid
 * text.
 */
export function parseNotation(notation: VersionFact['notation'], text: string): string[] | undefined {
  if (notation === 'gem') return readAll(parseGemRequirements(text));
  const range = notation === 'maven' ? parseMavenRange(text) : readVersionRange(text.replace(/^v(?=\d)/, ''));
  return range === null || range === undefined ? undefined : readAll([range]);
}

function readAll(ranges: (string | undefined)[]): string[] | undefined {
  const read = ranges.filter((range) => range !== undefined && readVersionRange(range) !== null);
  return read.length === 0 || read.length < ranges.length ? undefined : (read as string[]);
}

/**
 * Parses `"~> 3.2", ">= 3.2.1"`, with or without quotes: https://guides.rubygems.org/patterns/#declaring-dependencies
 */
function parseGemRequirements(text: string): (string | undefined)[] {
  const quoted = [...text.matchAll(/["']([^"']*)["']/g)].map((match) => match[1] ?? '');
  return (quoted.length > 0 ? quoted : [text]).flatMap((each) => each.split(',')).map(parseGemRequirement);
}

function parseGemRequirement(text: string): string | undefined {
  const match = /^\s*(=|!=|>=?|<=?|~>)?\s*(\d+(?:\.\d+)*)\S*\s*$/.exec(text);
  if (match === null) return undefined;
  const [operator, numbers] = [match[1] ?? '=', match[2]!.split('.').map(Number)];
  const version = formatNumbers(numbers);
  if (operator === '=') return version;
  if (operator === '!=') return `<${version} || >${version}`;
  if (operator !== '~>') return `${operator}${version}`;
  // All numbers except for the last are fixed.
  const kept = numbers.length > 1 ? numbers.slice(0, -1) : numbers;
  const next = kept.map((number, index) => (index === kept.length - 1 ? number + 1 : number));
  return `>=${version} <${formatNumbers(next)}`;
}

/**
 * Parses `[17,)`, `(,17],[21,22)`; a version alone means at least:
 * https://maven.apache.org/enforcer/enforcer-rules/versionRanges.html
 */
function parseMavenRange(text: string): string | undefined {
  // Java's own numbers are 1.x up to 8.
  const plain = text.replaceAll(/\b1\.(?=[5-8](?!\d))/g, '').replaceAll(/\s+/g, '');
  if (/^\d[\w.-]*$/.test(plain)) return `>=${readNumbers(plain)}`;
  const parts = [...plain.matchAll(/([[(])([\d.\w-]*)(,?)([\d.\w-]*)([\])])/g)];
  if (parts.length === 0 || parts.map(([part]) => part).join(',') !== plain) return undefined;
  return parts
    .map(([, open, low = '', comma, high = '', close]) => {
      if (comma === '') return readNumbers(low);
      const from = low === '' ? '' : `${open === '[' ? '>=' : '>'}${readNumbers(low)}`;
      const to = high === '' ? '' : `${close === ']' ? '<=' : '<'}${readNumbers(high)}`;
      return `${from} ${to}`.trim() || '*';
    })
    .join(' || ');
}

function readNumbers(text: string): string {
  return semver.coerce(text)?.version ?? text;
}

function formatNumbers(numbers: number[]): string {
  return [...numbers, 0, 0].slice(0, 3).join('.');
}
