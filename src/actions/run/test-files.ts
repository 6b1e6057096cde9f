import { globSync } from 'node:fs';
import { join } from 'node:path';
import { GbuildError } from '../../errors.ts';
import { isFile, readTextIfAny } from '../../fs/read-bounded.ts';
import type { Host } from '../../host.ts';
import { parseJUnit } from '../../junit/read-junit.ts';
import { timesOf } from '../../junit/times.ts';
import type { PlannedTask } from '../../plan/planned-task.ts';
import type { TaskFiles } from '../../plan/shard.ts';
import type { TaskPlan } from '../../plan/task-plan.ts';
import { readIgnored } from '../../workspace/git/ignored.ts';
import { listReports } from './task-run.ts';

/** Size in bytes above which a report's times are not read. */
const largestReport = 256 << 20;

/** Reads the test files of the tasks that list theirs. Their times come from the reports in the workspace. */
export async function readTestFiles({ tasks, rootDir }: TaskPlan, { env }: Host): Promise<TaskFiles[]> {
  const split = tasks.filter((task) => task.split.length > 0);
  if (split.length === 0) return [];
  const ignored = await readIgnored(rootDir, env);
  return split.map((task) => {
    const files = listFiles(task, rootDir, ignored);
    const cases = listReports(rootDir, task.reports).flatMap((path) => readCases(join(rootDir, path)));
    return { task: task.name, files, seconds: timesOf(files, cases) };
  });
}

function listFiles({ name, split }: PlannedTask, rootDir: string, ignored: ReadonlySet<string>): string[] {
  const found = globSync(
    split.map((glob) => glob.replace(/^\.\//, '')),
    { cwd: rootDir },
  ).filter((path) => !isIgnored(path, ignored));
  const files = found.filter((path) => isFile(join(rootDir, path))).sort();
  const broken = files.find((path) => path.includes('\n'));
  if (broken !== undefined) throw unlistable(name, broken);
  if (files.length > 0) return files;
  throw new GbuildError(
    'usage',
    `tasks.${name}.split in gbuild.yml (${split.join(', ')}) matches no file of ${rootDir}`,
    {
      suggestions: [`git ls-files -- ${split.map((glob) => `':(glob)${glob}'`).join(' ')}`],
      facts: { task: name, split },
    },
  );
}

function isIgnored(path: string, ignored: ReadonlySet<string>): boolean {
  const parts = path.split('/');
  return parts.some((_, at) => ignored.has(parts.slice(0, at + 1).join('/')));
}

/** Reads the times only: a report that cannot be read has none. */
function readCases(file: string) {
  const text = file.endsWith('.xml') ? readTextIfAny(file, largestReport) : undefined;
  return text === undefined ? [] : (parseJUnit(text)?.cases ?? []);
}

function unlistable(task: string, path: string): GbuildError {
  return new GbuildError(
    'usage',
    `tasks.${task}.split matches ${JSON.stringify(path)}: a name of two lines cannot be listed`,
    {
      suggestions: [`git mv ${JSON.stringify(path)} another-name`],
      facts: { task, path },
    },
  );
}
