import { type JUnitReport, parseJUnit } from './read-junit.ts';

/** Merges several reports, each suite unchanged; undefined where one of them is no JUnit report. */
export function mergeJUnit(reports: readonly string[]): string | undefined {
  const parsed = reports.map(parseJUnit).filter((report) => report !== undefined);
  if (parsed.length < reports.length) return undefined;
  const sum = (count: (report: JUnitReport) => number) => parsed.reduce((total, report) => total + count(report), 0);
  const seconds = sum(({ cases }) => cases.reduce((total, each) => total + each.seconds, 0));
  const totals = [
    `tests="${sum(({ cases }) => cases.length)}"`,
    `failures="${sum(({ failures }) => failures)}"`,
    `errors="${sum(({ errors }) => errors)}"`,
    `skipped="${sum(({ skipped }) => skipped)}"`,
    `time="${seconds.toFixed(3)}"`,
  ];
  const content = parsed.map((report) => report.content.trim()).filter((text) => text !== '');
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites ${totals.join(' ')}>\n${content.join('\n')}\n</testsuites>\n`;
}
