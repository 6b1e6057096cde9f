import { GbuildError } from '../../errors.ts';
import type { Stop } from '../../host.ts';

/**
 * Returns a Stop that also asks when the task's time is over. Disposing it clears the timer. The reason is 'timed-out',
 * so that a CI can tell it from a failing test.
 */
export function limitTime(stop: Stop, task: string, seconds: number | undefined): Stop & Disposable {
  if (seconds === undefined) return { ...stop, [Symbol.dispose]: () => {} };
  const limit = new AbortController();
  const timer = setTimeout(() => {
    limit.abort(
      new GbuildError('timed-out', `task ${task} ran longer than its time limit of ${seconds} s and was stopped`, {
        suggestions: [`raise tasks.${task}.timeout in gbuild.yml`],
        facts: { task, timeout: seconds },
      }),
    );
  }, seconds * 1000);
  return {
    ask: AbortSignal.any([stop.ask, limit.signal]),
    kill: stop.kill,
    [Symbol.dispose]: () => clearTimeout(timer),
  };
}
