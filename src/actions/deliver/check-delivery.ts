import type { Validator } from '../../deliver/target.ts';
import { GbuildError } from '../../errors.ts';
import { formatTail } from '../../escape.ts';
import { findProgram } from '../../fs/find-program.ts';
import type { DeliverRequest } from './request.ts';

/** Result of one validator. */
export interface Checked {
  program: string;
  /** False where the program is not installed. */
  ran: boolean;
}

/**
 * Runs the target's own validators in the folder of the delivery, where they are installed. @throws GbuildError
 * `delivery-refused` with their words
 */
export async function checkDelivery(
  validators: readonly Validator[],
  dir: string,
  { host, progress, stop, target }: DeliverRequest,
): Promise<Checked[]> {
  const { execa } = await import('execa');
  const checked: Checked[] = [];
  for (const { program, args } of validators) {
    const file = findProgram(program, host.env.PATH);
    checked.push({ program, ran: file !== undefined });
    if (file === undefined) {
      progress.warn(`${program} is not installed: ${target} was not checked by it`);
      continue;
    }
    const result = await progress.step(`checking with ${program}`, () =>
      execa(file, args, {
        cwd: dir,
        env: host.env,
        extendEnv: false,
        reject: false,
        all: true,
        stdin: 'ignore',
        cancelSignal: stop.ask,
      }),
    );
    stop.ask.throwIfAborted();
    if (result.exitCode === 0) continue;
    const lines = (result.all ?? '').split('\n').filter((line) => line !== '');
    throw new GbuildError(
      'delivery-refused',
      `${[program, ...args].join(' ')} refuses the delivery${formatTail(lines)}`,
      {
        suggestions: ['nothing was written; mend what it names'],
        facts: { target, program, exitCode: result.exitCode },
      },
    );
  }
  return checked;
}
