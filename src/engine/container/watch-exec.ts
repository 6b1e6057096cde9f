import type { Duplex } from 'node:stream';
import { Stalled } from '../../oci/stream/pace.ts';
import { readField } from '../answer/json.ts';
import type { EngineClient } from '../client/client.ts';
import { engineSilent } from '../client/failures.ts';
import { workOn } from '../client/request-limit.ts';

interface WatchedExec {
  exec: string;
  what: string;
  isBusy: boolean;
  signal: AbortSignal;
}

/** Connection of a program in a container; it is cut when the program continues without it. */
export interface ExecWatch {
  read(): AsyncGenerator<Buffer>;
  /** Counts bytes that were sent to the program. */
  sent(bytes: number): void;
  end(): void;
}

/**
 * Checks a program whose connection is silent. A program that has ended, or that moves bytes all the time, has lost its
 * connection; any other may work in silence.
 */
export function watchExec(
  client: EngineClient,
  { exec, what, isBusy, signal }: WatchedExec,
  socket: Duplex,
): ExecWatch {
  let sent = 0;
  let last = performance.now();
  let isReading = true;
  let isOver = false;
  const look = async () => {
    const { json } = await client.call({ what, method: 'GET', path: `/exec/${exec}/json`, signal });
    return readField(json, 'Running') === true;
  };
  const check = async () => {
    while (!isOver) {
      const most = client.requestTimeout + workOn(sent);
      const left = most - (performance.now() - last);
      if (left > 0 || !isReading) {
        await pause(Math.max(50, Math.min(left, 1_000)));
        continue;
      }
      if (!isBusy && (await look())) last = performance.now();
      else if (!isOver) return new Stalled(`no data came for ${Math.round(most / 100) / 10} s`);
    }
    return undefined;
  };
  void check().then(
    (stalled) => stalled && socket.destroy(engineSilent(client.endpoint, what, stalled)),
    (thrown) => socket.destroy(thrown as Error),
  );
  return {
    async *read() {
      for await (const chunk of socket as AsyncIterable<Buffer>) {
        isReading = false;
        yield chunk;
        isReading = true;
        last = performance.now();
      }
    },
    sent: (bytes) => {
      sent += bytes;
      last = performance.now();
    },
    end: () => {
      isOver = true;
    },
  };
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds).unref());
}
