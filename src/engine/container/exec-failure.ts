import { EngineRefusalError } from '../client/failures.ts';
import type { ContainerResult } from './spec.ts';

/** podman's names (`cause`) for a command that cannot be executed, and the exit codes that a shell has for them. */
const exitCodes = new Map([
  ['OCI runtime attempted to invoke a command that was not found', 127],
  ['OCI permission denied', 126],
]);

/**
 * podman prepares the process when it is attached to, so that a command that cannot be executed is told there: then it is the
 * caller's affair, as it is at the start elsewhere. Anything else is thrown.
 */
export function readExecFailure(thrown: unknown): Omit<ContainerResult, 'seconds'> {
  if (!(thrown instanceof EngineRefusalError)) throw thrown;
  const exitCode = exitCodes.get(thrown.reason ?? '');
  if (exitCode === undefined) throw thrown;
  return { exitCode, oomKilled: false, startError: thrown.message };
}
