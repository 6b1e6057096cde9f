// Compares what two runs of the tests took: node scripts/compare-timings.ts BEFORE.json AFTER.json [COUNT]
// The files are written by every run (bin/test names its own at the end). Prints a Markdown table of the COUNT dearest
// test files and steps of set-up of either run, 15 when left out.
import { readRun, type Timing } from '../test/support/runner/timings.ts';

const [before, after, count = '15'] = process.argv.slice(2);
if (before === undefined || after === undefined || !(Number(count) > 0)) {
  process.stderr.write('usage: node scripts/compare-timings.ts BEFORE.json AFTER.json [COUNT]\n');
  process.exit(2);
}
const runs = [readRun(before), readRun(after)] as const;

/** Adds up repeated work, so that it is one line. */
function addUp(timings: Timing[]): Map<string, number> {
  const seconds = new Map<string, number>();
  for (const timing of timings) {
    const name = `${timing.kind} ${timing.name}`;
    seconds.set(name, (seconds.get(name) ?? 0) + timing.seconds);
  }
  return seconds;
}

const show = (seconds: number | undefined) => (seconds === undefined ? '-' : seconds.toFixed(0));
const [left, right] = runs.map(({ timings }) => addUp(timings)) as [Map<string, number>, Map<string, number>];
const names = [...new Set([...left.keys(), ...right.keys()])];
const costOf = (name: string) => Math.max(left.get(name) ?? 0, right.get(name) ?? 0);
const dearest = names.sort((a, b) => costOf(b) - costOf(a)).slice(0, Number(count));
const rows = [
  ['', 'before, s', 'after, s'],
  ['---', '---:', '---:'],
  ['the whole run', ...runs.map(({ seconds }) => show(seconds))],
  ...dearest.map((name) => [name, show(left.get(name)), show(right.get(name))]),
];
for (const row of rows) process.stdout.write(`| ${row.join(' | ')} |\n`);
