import { execFileSync } from 'node:child_process';

/** Node's extra roots cost older versions tens of milliseconds a start and would blur the ratio of two starts. */
export const env = { ...process.env };
delete env.NODE_EXTRA_CA_CERTS;

/**
 * Runs both commands in turns, ours first in even rounds and last in odd ones, after one warm-up each; answers the medians
 * in seconds and the median of the ratios of each pair, so that a machine that slows down slows both. Where there is a `base`,
 * it is run each time beside ours, and ours is only what comes on top of it.
 */
export function comparePairs({ ours, peer, base, rounds = 11, before = () => {} }) {
  const times = { ours: [], peer: [] };
  const ratios = [];
  for (let round = -1; round < rounds; round += 1) {
    const order = round % 2 === 0 ? ['ours', 'peer'] : ['peer', 'ours'];
    const pair = {};
    for (const side of order) {
      before(side, round);
      pair[side] = timeOf(side === 'ours' ? ours : peer, round);
    }
    if (base !== undefined) pair.ours -= timeOf(base, round);
    if (round < 0) continue;
    times.ours.push(pair.ours);
    times.peer.push(pair.peer);
    ratios.push(pair.ours / pair.peer);
  }
  return { ours: median(times.ours), peer: median(times.peer), value: median(ratios), unit: 'ratio' };
}

export function median(numbers) {
  return [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)];
}

function timeOf({ file, args, cwd, env: more }, round) {
  const began = process.hrtime.bigint();
  const resolved = typeof args === 'function' ? args(round) : args;
  execFileSync(file, resolved, { cwd, env: { ...env, ...more }, stdio: ['ignore', 'ignore', 'pipe'] });
  return Number(process.hrtime.bigint() - began) / 1e9;
}
