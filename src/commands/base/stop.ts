import { constants } from 'node:os';
import { GbuildError } from '../../errors.ts';
import type { Stop } from '../../host.ts';

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Opens a Stop for INT, TERM and HUP alike: the first signal asks the run to stop, the second kills it. Disposing
 * removes the handlers. The exit code is 128 + the first signal's number.
 */
export function openStop(announce: (text: string) => void): Stop & Disposable {
  const ask = new AbortController();
  const kill = new AbortController();
  const onSignal = (signal: (typeof signals)[number]) => {
    if (ask.signal.aborted) {
      kill.abort(ask.signal.reason);
      return;
    }
    announce(`${signal}: stopping and cleaning up; a second signal kills at once`);
    ask.abort(
      new GbuildError('interrupted', `interrupted by ${signal}`, { exitCode: 128 + constants.signals[signal] }),
    );
  };
  for (const signal of signals) process.on(signal, onSignal);
  return {
    ask: ask.signal,
    kill: kill.signal,
    [Symbol.dispose]: () => {
      for (const signal of signals) process.off(signal, onSignal);
    },
  };
}
