import { createServer } from 'node:net';
import { GbuildError } from '../../errors.ts';
import type { ForwardWords, SshForward } from './plan.ts';

/** Whether a process of ssh's with these arguments ended well. */
type RunSsh = (args: string[]) => Promise<boolean>;

/** So often another free port is tried: somebody may take one between the look and ssh's own. */
const attempts = 5;

/** The ports of this machine that lead through one connection of ssh's; they outlive the connection that carries them. */
export class SshForwards {
  readonly #kept: SshForward[] = [];

  /** The port here that leads to one over there: the wanted one, else any that is free. */
  async add(run: RunSsh, words: ForwardWords, remotePort: number, wanted?: number): Promise<number> {
    for (let attempt = 1; ; attempt += 1) {
      const forward = { remotePort, localPort: wanted ?? (await findFreePort()) };
      if (await run(words('forward', forward))) {
        this.#kept.push(forward);
        return forward.localPort;
      }
      if (wanted !== undefined || attempt === attempts) throw portRefused(forward);
    }
  }

  /** On a new connection in the place of one that broke. */
  async renew(run: RunSsh, words: ForwardWords | undefined): Promise<void> {
    if (words !== undefined) for (const forward of this.#kept) await run(words('forward', forward));
  }

  /** The arguments that take them back from a connection that stays open. */
  planEnd(words: ForwardWords | undefined): string[][] {
    return words === undefined ? [] : this.#kept.map((forward) => words('cancel', forward));
  }
}

function findFreePort(): Promise<number> {
  const server = createServer();
  return new Promise((resolve, reject) => {
    server.once('error', reject).listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' ? (address?.port ?? 0) : 0));
    });
  });
}

function portRefused({ localPort, remotePort }: SshForward): GbuildError {
  return new GbuildError(
    'port-refused',
    `ssh cannot take port ${localPort} of this machine for port ${remotePort} of the engine's: it is taken, or one of those below 1024 that only root may have`,
    {
      suggestions: [
        'publish the port alone, without ENGINEPORT:   # a free one is chosen',
        `ss -ltnp 'sport = :${localPort}'`,
      ],
      facts: { localPort, remotePort },
    },
  );
}
