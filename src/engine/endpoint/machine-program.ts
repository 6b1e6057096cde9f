import type { Host } from '../../host.ts';

/** Result of a docker-machine call. */
export interface MachineAnswer {
  exitCode: number;
  stdout: string;
  stderr: string;
}

/** Runs the user's docker-machine to its end; `undefined` where it is not installed. Aborting the signal ends it. */
export async function askMachine(
  host: Host,
  args: string[],
  signal: AbortSignal | undefined,
): Promise<MachineAnswer | undefined> {
  const { execa } = await import('execa');
  const result = await execa('docker-machine', args, {
    env: host.env,
    extendEnv: false,
    stdin: 'ignore',
    reject: false,
    ...(signal !== undefined && { cancelSignal: signal }),
  });
  signal?.throwIfAborted();
  if (result.code === 'ENOENT') return undefined;
  return { exitCode: result.exitCode ?? 1, stdout: result.stdout, stderr: result.stderr };
}
