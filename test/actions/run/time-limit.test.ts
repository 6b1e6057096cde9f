import { expect, it } from 'vitest';
import { limitTime } from '../../../src/actions/run/time-limit.ts';
import { GbuildError } from '../../../src/errors.ts';

const never = () => ({ ask: new AbortController().signal, kill: new AbortController().signal });

it('asks the task to stop when its time is over, and says which key raises the limit', async () => {
  using stop = limitTime(never(), 'test', 0.01);
  await new Promise((resolve) => stop.ask.addEventListener('abort', resolve));
  const reason = stop.ask.reason as GbuildError;
  expect(reason).toBeInstanceOf(GbuildError);
  expect([reason.code, reason.exitCode, reason.message, reason.suggestions]).toMatchInlineSnapshot(`
    [
      "timed-out",
      4,
      "task test ran longer than its time limit of 0.01 s and was stopped",
      [
        "raise tasks.test.timeout in gbuild.yml",
      ],
    ]
  `);
});

it('still listens to the caller, and forgets the time once disposed', async () => {
  const ask = new AbortController();
  const stop = limitTime({ ...never(), ask: ask.signal }, 'test', 0.01);
  stop[Symbol.dispose]();
  await new Promise((resolve) => setTimeout(resolve, 30));
  expect(stop.ask.aborted).toBe(false);
  ask.abort('interrupted');
  expect(stop.ask.reason).toBe('interrupted');
});
