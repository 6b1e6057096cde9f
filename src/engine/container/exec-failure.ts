import { EngineRefusalError } from '../client/failures.ts';
import type { ContainerResult } from './spec.ts';

/** Names (`cause`) that podman gives a command that cannot be executed, and a shell's exit codes for them. */
const exitCodes = new Map([
  ['OCI runtime attempted to invoke a command that was not found', 127],
  ['OCI permission denied', 126],
]);

/**
 * Reads the failure of an exec. podman prepares the process when it is attached to, and reports there a command that
 * cannot be executed. That is the caller's mistake, as at the start on other engines. Throws any other failure.
 */
export function readExecFailure(thrown: unknown): Omit<ContainerResult, 'seconds'> {
  if (!(thrown instanceof EngineRefusalError)) throw thrown;
  const exitCode = exitCodes.get(thrown.reason ?? '');
  if (exitCode === undefined) throw thrown;
  return { exitCode, oomKilled: false, startError: thrown.message };
}
