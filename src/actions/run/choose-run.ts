import { GbuildError } from '../../errors.ts';
import { quoteWord } from '../../escape.ts';
import type { DetachedTask } from '../session/detached-record.ts';
import type { DetachedTasks } from '../session/detached-runs.ts';

/** Returns the tasks of the named run, or of the only one. Throws `usage`. */
export function chooseRun({ tasks, unclear }: DetachedTasks, runId: string | undefined): DetachedTask[] {
  const runs = [...new Set([...tasks, ...unclear].map((each) => each.runId))];
  const wanted = runId ?? (runs.length === 1 ? runs[0] : undefined);
  const lost = unclear.find((each) => each.runId === wanted);
  if (lost !== undefined) throw notUnderstood(lost);
  const found = tasks.filter((task) => task.runId === wanted);
  if (found.length > 0) return found;
  if (runs.length === 0)
    throw new GbuildError('usage', 'no run can be attached to: none has lost its engine', {
      suggestions: ['gbuild test'],
    });
  const there = [
    ...tasks.map((task) => `${task.runId} (${task.task} of ${task.repository}, ${task.engine})`),
    ...unclear.map((each) => `${each.runId} (its record cannot be read)`),
  ];
  const asked =
    runId === undefined ? 'several runs can be attached to' : `there is no run ${runId} that lost its engine`;
  throw new GbuildError('usage', `${asked}: ${there.join(', ')}`, {
    suggestions: runs.map((run) => `gbuild attach ${run}`),
    facts: { runs },
  });
}

function notUnderstood({ runId, file, fault }: DetachedTasks['unclear'][number]): GbuildError {
  return new GbuildError(
    'usage',
    `the record of the run ${runId} cannot be read: ${fault} (${file}); another gbuild wrote it, or it is damaged`,
    {
      suggestions: [
        'attach with the gbuild that started the run',
        `rm ${quoteWord(file)}  # then the next run removes what this one left on the engine`,
      ],
      facts: { run: runId, path: file },
    },
  );
}
