import { GbuildError } from '../../errors.ts';
import { Demuxer, type Frame } from '../answer/demux.ts';
import { parseJson, readNumber } from '../answer/json.ts';
import type { EngineClient } from '../client/client.ts';
import { EngineLostError, notUnderstood } from '../client/failures.ts';
import { inspectState, removeContainer } from '../container/container.ts';
import { execute } from '../container/exec.ts';
import type { ContainerPort, EnginePort } from '../container/ports.ts';
import { readEnginePorts } from '../container/ports.ts';

/** Container of a service: no client is attached to it, and the engine keeps its output. */
export class ServiceContainer {
  readonly id: string;
  readonly #client: EngineClient;

  constructor(client: EngineClient, id: string) {
    this.#client = client;
    this.id = id;
  }

  /** Waits for its end and returns the exit code. Fails with its engine. */
  async waitForEnd(signal: AbortSignal): Promise<number> {
    const what = 'wait for a service';
    const path = `/containers/${this.id}/wait`;
    const query = { condition: 'not-running' };
    const answer = await this.#client.send({ what, method: 'POST', path, query, signal });
    if (answer.statusCode !== 200) await this.#client.refuse(answer, what);
    const code = readNumber(
      parseJson(await this.#client.readText(answer, what, Number.POSITIVE_INFINITY)),
      'StatusCode',
    );
    if (code === undefined) throw notUnderstood(this.#client.endpoint, what);
    return code;
  }

  /** Returns the exit code where it has ended. */
  async readEnd(): Promise<number | undefined> {
    const { running, exitCode } = await inspectState(this.#client, this.id);
    return running ? undefined : exitCode;
  }

  readPorts(ports: ContainerPort[]): Promise<EnginePort[]> {
    return readEnginePorts(this.#client, this.id, ports);
  }

  /** Runs a command in it. Returns undefined for exit code 0, else the reason of the failure. */
  async whyNot(command: string[], signal: AbortSignal): Promise<string | undefined> {
    const request = { what: `run ${command[0]} in a service`, command, input: [] };
    try {
      for await (const _ of execute(this.#client, this.id, request, signal));
      return undefined;
    } catch (thrown) {
      if (signal.aborted || !(thrown instanceof GbuildError) || thrown instanceof EngineLostError) throw thrown;
      return thrown.message.replace(/^.*?: /, '');
    }
  }

  /** Reads everything that it has printed (GET /containers/{id}/logs). */
  async *readLog(): AsyncGenerator<Frame> {
    const what = 'send the log of a service';
    const query = { stdout: true, stderr: true };
    const answer = await this.#client.send({ what, method: 'GET', path: `/containers/${this.id}/logs`, query });
    if (answer.statusCode !== 200) await this.#client.refuse(answer, what);
    const demuxer = new Demuxer();
    for await (const chunk of this.#client.readChunks(answer, what, this.#client.pace)) yield* demuxer.split(chunk);
  }

  /** Asks it to end, and kills it after the grace period or when `kill` fires. */
  async stop(graceSeconds: number, kill: AbortSignal): Promise<void> {
    const request = { what: 'stop a service', method: 'POST', path: `/containers/${this.id}/stop` } as const;
    if (kill.aborted) return;
    const within = this.#client.requestTimeout + graceSeconds * 1000;
    await this.#client
      .call({ ...request, query: { t: graceSeconds }, signal: kill, within }, [204, 304, 404])
      .catch(() => {
        // The removal that follows kills it, and reports a lost engine.
      });
  }

  remove(): Promise<void> {
    return removeContainer(this.#client, this.id, { lost: false, kill: true });
  }
}
