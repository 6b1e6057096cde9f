import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { seedReleases } from '../test/support/registry/channel-rig.ts';
import { startRegistry } from '../test/support/registry/registry.ts';
import { comparePairs, env } from './pairs.mjs';

const gbuild = fileURLToPath(new URL('../bin/run.js', import.meta.url));
const node = process.execPath;

/** A channel that goes back to the release before, from nowhere near a repository; crane moves a tag to one of two images. */
export async function benchRollback() {
  const dir = mkdtempSync(join(tmpdir(), 'gbuild-bench-channel-'));
  await using registry = await startRegistry();
  const { host } = registry;
  const own = { ...env, XDG_DATA_HOME: join(dir, 'data'), XDG_CONFIG_HOME: dir };
  const at = ['production', '--name', 'hello', '--registry', host, '--quiet'];
  const call = (...args) => execFileSync(node, [gbuild, 'channel', ...args], { cwd: dir, env: own, stdio: 'ignore' });
  try {
    await seedReleases(join(dir, 'data/gbuild'), host);
    return comparePairs({
      ours: { file: node, args: [gbuild, 'channel', 'rollback', ...at], cwd: dir, env: own },
      peer: {
        file: 'crane',
        args: (round) => ['tag', '--insecure', `${host}/hello:1.0.${round & 1}`, 'production-by-hand'],
      },
      before: (side, round) => {
        if (side !== 'ours') return;
        call('set', 'production', '1.0.0', ...at.slice(1));
        call('set', 'production', `1.0.${1 + (round & 1)}`, ...at.slice(1));
      },
      rounds: 15,
    });
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}
