import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

const keptRuns = 50;

/** Logs of runs and builds are named by time: all but the newest go. What another run removes meanwhile, or holds open, is no mistake. */
export async function pruneLogs(runsDir: string): Promise<void> {
  const names = await readdir(runsDir).catch(() => []);
  const old = names.sort().slice(0, -keptRuns);
  await Promise.allSettled(old.map((name) => rm(join(runsDir, name), { recursive: true, force: true })));
}
