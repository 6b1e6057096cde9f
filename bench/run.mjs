// Runs every benchmark, ours and its peer's in turns in one run, and prints a table of ratios: `npm run bench [name ...]`.
// Needs an engine, docker's client and openssl. What each one does stands in docs/benchmarks.md.
import { benchmarks } from './benchmarks.mjs';

const wanted = process.argv.slice(2);
const chosen = wanted.length > 0 ? benchmarks.filter(({ name }) => wanted.includes(name)) : benchmarks;
if (chosen.length === 0) {
  console.error(`error: no such benchmark; they are ${benchmarks.map(({ name }) => name).join(', ')}`);
  process.exit(2);
}

const rows = [];
for (const { name, title, bar, run } of chosen) {
  process.stderr.write(`${name} ...\n`);
  const { ours, peer, value, unit } = await run();
  rows.push({
    title,
    measured: unit === 'ratio' ? `${value.toFixed(2)}x` : `${Math.round(value)} ${unit}`,
    bar: unit === 'ratio' ? `<= ${bar}x` : `< ${bar} ${unit}`,
    met: value <= bar ? 'met' : 'NOT met',
    times: ours === undefined ? '' : `${ours.toFixed(3)} s / ${peer.toFixed(3)} s`,
  });
}
console.log('| what | measured | bar | | medians: gbuild / peer |');
console.log('|---|---|---|---|---|');
for (const { title, measured, bar, met, times } of rows) {
  console.log(`| ${title} | ${measured} | ${bar} | ${met} | ${times} |`);
}
