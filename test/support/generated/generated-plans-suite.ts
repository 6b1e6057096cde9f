import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { explainPlan } from '../../../src/actions/inspect/explain-plan.ts';
import { GbuildError } from '../../../src/errors.ts';
import type { Host } from '../../../src/host.ts';
import { silentProgress } from '../../../src/reporter/progress.ts';
import { drawFiles } from './generated-files.ts';

const installDir = join(import.meta.dirname, '../../..');
const asked = ['test', 'build', 'image'];

/**
 * Plans random repositories. Each has a plan, the same twice, or a refusal that the caller can fix, with a suggestion.
 * GBUILD_TEST_SEED draws others.
 */
export function describeGeneratedPlans(count: number): void {
  const seed = Number(process.env.GBUILD_TEST_SEED ?? 20_261_130);
  const dir = mkdtempSync(join(tmpdir(), 'gbuild-plans-'));
  afterAll(() => rmSync(dir, { recursive: true, force: true }));

  test(`${count} repositories are planned or refused with what to type`, { timeout: 3_600_000 }, async () => {
    const wrong: string[] = [];
    let planned = 0;
    for (const [at, files] of drawFiles(count, seed).entries()) {
      const rootDir = join(dir, String(at));
      writeFiles(rootDir, files);
      const host = hostOf(rootDir, dir);
      for (const name of asked) {
        const answer = await plan(host, name);
        if (answer.fault !== undefined)
          wrong.push(`seed ${seed}, repository ${at}, plan ${name}: ${answer.fault}\n${JSON.stringify(files)}`);
        else if (answer.text !== undefined) planned += 1;
        if (at % 10 === 0) expect(await plan(host, name)).toEqual(answer);
      }
      rmSync(rootDir, { recursive: true });
    }
    process.stderr.write(
      `generated plans: ${count * asked.length} of seed ${seed}, ${planned} planned, the others refused\n`,
    );
    expect(wrong).toEqual([]);
    expect(planned).toBeGreaterThan(count / 3);
  });
}

interface Answer {
  text?: string;
  refusal?: string;
  fault?: string;
}

async function plan(host: Host, name: string): Promise<Answer> {
  try {
    const { text } = await explainPlan({ host, installDir, progress: silentProgress }, name);
    const fault = ['undefined', '[object', 'NaN'].find((word) => text.includes(word));
    return fault === undefined ? { text } : { fault: `the plan says ${fault}: ${text}` };
  } catch (error) {
    if (!(error instanceof GbuildError)) return { fault: `${(error as Error).stack}` };
    if (error.exitCode !== 2) return { fault: `exit code ${error.exitCode}: ${error.message}` };
    return error.suggestions.length === 0 ? { fault: `no advice: ${error.message}` } : { refusal: error.message };
  }
}

function writeFiles(rootDir: string, files: Record<string, string>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(rootDir, path)), { recursive: true });
    writeFileSync(join(rootDir, path), text);
  }
}

function hostOf(cwd: string, dir: string): Host {
  const own = {
    homeDir: join(dir, 'home'),
    cacheDir: join(dir, 'cache'),
    configDir: join(dir, 'config'),
    dataDir: join(dir, 'data'),
  };
  const machine = {
    platform: 'linux' as const,
    arch: 'x64',
    hostname: 'laptop',
    uid: 1000,
    gid: 1000,
    userName: 'ada',
  };
  const env = { PATH: process.env.PATH };
  return { ...own, ...machine, env, cwd, stateDir: join(dir, 'state'), isCI: false, startedAt: 0, isTerminal: false };
}
