import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const keptRuns = 50;

/** Run folders are named by time: all but the newest go. A folder that another run removes meanwhile is no mistake. */
export function pruneLogs(runsDir: string): void {
  let names: string[];
  try {
    names = readdirSync(runsDir).sort();
  } catch {
    return;
  }
  for (const name of names.slice(0, -keptRuns)) rmSync(join(runsDir, name), { recursive: true, force: true });
}
