import { createServer } from 'node:net';
import { GbuildError } from '../../errors.ts';
import type { ForwardWords, SshForward } from './plan.ts';

/** Runs an ssh process with these arguments; returns whether it succeeded. */
type RunSsh = (args: string[]) => Promise<boolean>;

/** Number of free ports to try: another process may take one before ssh does. */
const attempts = 5;

/** Ports of this machine that forward through one ssh connection; they outlive a broken connection. */
export class SshForwards {
  readonly #kept: SshForward[] = [];

  /** Forwards a port here to one over there. Returns the wanted port, or any free one. */
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

  /** Opens the forwards again on a new connection. */
  async renew(run: RunSsh, words: ForwardWords | undefined): Promise<void> {
    if (words !== undefined) for (const forward of this.#kept) await run(words('forward', forward));
  }

  /** Lists the arguments that cancel the forwards on a connection that stays open. */
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
