import type { ContainerIO } from '../../../src/engine/engine.ts';
import type { GbuildError } from '../../../src/errors.ts';
import type { Stop } from '../../../src/host.ts';

/** Collects a container's output by stream. */
export function collectOutput(): { take: ContainerIO['onOutput']; read(): { stdout: string; stderr: string } } {
  const chunks: Record<'stdout' | 'stderr', Buffer[]> = { stdout: [], stderr: [] };
  return {
    take: (stream, chunk) => {
      chunks[stream].push(chunk);
    },
    read: () => ({
      stdout: Buffer.concat(chunks.stdout).toString('utf8'),
      stderr: Buffer.concat(chunks.stderr).toString('utf8'),
    }),
  };
}

/** Returns the stop of a caller who never stops. */
export function neverStop(): Stop {
  return startStop().stop;
}

/** Returns a stop with the functions that fire it with a reason. */
export function startStop(): { stop: Stop; askWith(reason: GbuildError): void; killWith(reason: GbuildError): void } {
  const ask = new AbortController();
  const kill = new AbortController();
  return {
    stop: { ask: ask.signal, kill: kill.signal },
    askWith: (reason) => ask.abort(reason),
    killWith: (reason) => kill.abort(reason),
  };
}
