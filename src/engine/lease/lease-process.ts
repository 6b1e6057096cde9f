import { PassThrough } from 'node:stream';
import { GbuildError } from '../../errors.ts';
import type { Stalled } from '../../oci/stream/pace.ts';
import type { EngineClient } from '../client/client.ts';
import { engineSilent } from '../client/failures.ts';
import { keepWatch } from '../client/heartbeat.ts';
import { SilenceLimit } from '../client/request-limit.ts';
import { removeContainer } from '../container/container.ts';
import { removeAfter, watchContainer } from '../container/run.ts';
import type { ContainerIO, ContainerSpec } from '../container/spec.ts';
import { lookAtImage } from './lease-container.ts';
import { ListingReader } from './listing.ts';

/** Milliseconds that a lease's container has to end after its input, before it is killed. */
const endGraceMs = 3_000;

/** Answer to a line: paths, and the words after the exit code. */
export interface LeaseAnswer {
  paths: ListingReader;
  words: string[];
}

/** Container of a lease. It starts with the first request. */
export class LeaseProcess {
  /** Whether it is still open, as far as is known: a broken connection ends a started one. */
  isOpen = true;
  readonly #client: EngineClient;
  readonly #id: string;
  readonly #spec: ContainerSpec;
  readonly #lines = new PassThrough();
  readonly #kill = new AbortController();
  #running: { ended: Promise<never>; over: Promise<void> } | undefined;
  #reader = new ListingReader();
  #answered: ((rest: string) => void) | undefined;
  #complaint = '';
  #moved = () => {};
  #isAwake = false;

  constructor(client: EngineClient, id: string, spec: ContainerSpec) {
    this.#client = client;
    this.#id = id;
    this.#spec = spec;
  }

  /** Whether it has answered: then it surely runs. */
  get isAwake(): boolean {
    return this.#isAwake;
  }

  /** Starts it, so that later requests need not wait for the start. */
  start(): void {
    this.#running ??= this.#run();
  }

  /**
   * Sends a line and reads the answer. @throws GbuildError `engine-failed` where its exit code is not 0, or the
   * container ended
   */
  async ask(what: string, line: string, signal: AbortSignal): Promise<LeaseAnswer> {
    this.start();
    const { ended } = this.#running!;
    const paths = new ListingReader();
    this.#reader = paths;
    const answered = new Promise<string>((resolve) => {
      this.#answered = resolve;
    });
    this.#lines.write(`${line}\n`);
    const rest = await this.#waitFor(what, Promise.race([answered, ended]), signal);
    this.#isAwake = true;
    const [exitCode, ...words] = rest.split(' ');
    if (exitCode !== '0') throw this.#broken(`find ended with exit code ${exitCode}`);
    return { paths, words };
  }

  /** Returns the answer, as long as the engine lives and parts of it keep coming. */
  async #waitFor(what: string, answer: Promise<string>, signal: AbortSignal): Promise<string> {
    const limit = new SilenceLimit(() => 1.5 * this.#client.requestTimeout);
    this.#moved = () => limit.moved();
    const silent = new Promise<never>((_, reject) => {
      limit.signal.addEventListener('abort', () =>
        reject(engineSilent(this.#client.endpoint, what, limit.signal.reason as Stalled)),
      );
    });
    try {
      return await keepWatch(this.#client, what, signal, () => Promise.race([answer, silent]));
    } finally {
      limit.end();
    }
  }

  /** Ends the container and removes it. */
  async close(): Promise<void> {
    if (this.#running === undefined) return removeContainer(this.#client, this.#id, { lost: false });
    this.#lines.end();
    const late = setTimeout(() => this.#kill.abort(new Error('it did not end by itself')), endGraceMs);
    try {
      await this.#running.over;
    } catch (thrown) {
      if (thrown !== this.#kill.signal.reason) throw thrown;
    } finally {
      clearTimeout(late);
    }
  }

  #run() {
    const io: ContainerIO = {
      stdin: this.#lines,
      stop: { ask: new AbortController().signal, kill: this.#kill.signal },
      onOutput: (stream, chunk) => {
        if (stream === 'stdout') this.#take(chunk);
        else this.#complaint = `${this.#complaint}${chunk}`.slice(0, 1000);
      },
    };
    const watch = () => watchContainer(this.#client, this.#id, this.#spec, io);
    const run = removeAfter(this.#client, this.#id, io, watch);
    const over = run.then(() => {});
    over.catch(() => {});
    const ended = run.then(({ exitCode, startError = 'it ended' }) => {
      throw this.#broken(`${startError} (exit code ${exitCode})`);
    });
    ended.catch(() => {
      this.isOpen = false;
    });
    return { ended, over };
  }

  #take(chunk: Buffer): void {
    this.#moved();
    const rest = this.#reader.read(chunk);
    if (rest !== undefined) this.#answered?.(rest);
  }

  #broken(how: string): GbuildError {
    const said = this.#complaint.trim().split('\n')[0];
    return new GbuildError(
      'engine-failed',
      `the workspace on the engine at ${this.#client.endpoint.url} cannot be looked at: ${how}${said ? `: ${said}` : ''}`,
      {
        suggestions: [lookAtImage, 'gbuild doctor'],
        facts: { endpoint: this.#client.endpoint.url, volume: this.#spec.name },
      },
    );
  }
}
