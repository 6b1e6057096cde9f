import { GbuildError } from '../../errors.ts';
import type { EngineClient } from './client.ts';
import { engineLost } from './failures.ts';

/** Asks the engine for a sign of life; throws where it does not answer. */
export type SignOfLife = (client: EngineClient, signal: AbortSignal) => Promise<void>;

/**
 * Does long work on the engine without ever hanging. The work's signal fires when the caller asks to stop, or when the
 * engine stops giving signs of life: a half-open connection shows no other sign.
 *
 * @throws what the work throws, the reason of `ask`, or `engine-failed` for an engine that fell silent
 */
export async function keepWatch<T>(
  client: EngineClient,
  what: string,
  ask: AbortSignal | undefined,
  work: (signal: AbortSignal) => Promise<T>,
  sign: SignOfLife = ping,
): Promise<T> {
  const silent = new AbortController();
  const over = new AbortController();
  const signal = ask === undefined ? silent.signal : AbortSignal.any([silent.signal, ask]);
  void beat(client, over.signal, sign).catch((thrown: unknown) => {
    client.noteSilence();
    silent.abort(engineLost(client.endpoint, what, causeOf(thrown)));
  });
  try {
    signal.throwIfAborted();
    return await Promise.race([work(signal), rejectOn(signal, over.signal)]);
  } catch (thrown) {
    throw signal.aborted ? signal.reason : thrown;
  } finally {
    over.abort();
  }
}

/** Asks until the work ends; throws at the second unanswered question in a row. */
async function beat(client: EngineClient, over: AbortSignal, sign: SignOfLife): Promise<void> {
  let missed = 0;
  while (await sleep(client.heartbeat.every, over)) {
    try {
      await askInTime(client, over, sign);
      missed = 0;
    } catch (thrown) {
      if (over.aborted) return;
      missed += 1;
      if (missed === 2) throw thrown;
    }
  }
}

async function askInTime(client: EngineClient, over: AbortSignal, sign: SignOfLife): Promise<void> {
  const timer = new AbortController();
  const giveUp = () => timer.abort(new Error(`no sign of life within ${client.heartbeat.deadline / 1000} s`));
  // Waits one more turn: an answer that came while this process was busy is read first.
  const late = setTimeout(() => setImmediate(giveUp), client.heartbeat.deadline);
  try {
    const signal = AbortSignal.any([timer.signal, over]);
    await Promise.race([sign(client, signal), rejectOn(signal, over)]);
  } finally {
    clearTimeout(late);
  }
}

/** Sends `GET /_ping`. */
export async function ping(client: EngineClient, signal: AbortSignal): Promise<void> {
  const what = 'give a sign of life';
  const answer = await client.sendTo('/_ping', { what, method: 'GET', path: '/_ping', signal });
  await client.readText(answer, what);
}

/** Whether the engine answers within the milliseconds. */
export async function answers(client: EngineClient, deadline: number): Promise<boolean> {
  const what = 'answer again';
  try {
    const signal = AbortSignal.timeout(deadline);
    const answer = await client.sendTo('/_ping', { what, method: 'GET', path: '/_ping', signal });
    await client.readText(answer, what);
    return answer.statusCode === 200;
  } catch {
    return false;
  }
}

/** Returns the reason of the ping's failure: the ping's own error names a request that the caller did not make. */
function causeOf(thrown: unknown): unknown {
  return thrown instanceof GbuildError ? (thrown.cause ?? thrown) : thrown;
}

function rejectOn(signal: AbortSignal, over: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) return reject(signal.reason);
    signal.addEventListener('abort', () => reject(signal.reason), { once: true, signal: over });
  });
}

/** Resolves to true after the time, to false when the work ended before. */
function sleep(milliseconds: number, over: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    if (over.aborted) return resolve(false);
    const timer = setTimeout(() => resolve(true), milliseconds);
    over.addEventListener(
      'abort',
      () => {
        clearTimeout(timer);
        resolve(false);
      },
      { once: true },
    );
  });
}
