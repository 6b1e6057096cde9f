import type { Message, Type } from 'protobufjs';
import { GbuildError } from '../../errors.ts';

/** Event of a running build. `id` names the step in later events. */
export type BuildEvent =
  | { kind: 'step'; id: string; name: string; state: 'started' | 'done' | 'cached' | 'failed'; seconds?: number }
  | { kind: 'log'; id: string; line: string };

/** Vertex of BuildKit's graph as moby.buildkit.v1.StatusResponse sends it, again with each change. */
interface Vertex {
  digest: string;
  name: string;
  cached: boolean;
  started?: Timestamp;
  completed?: Timestamp;
  error: string;
}

interface Timestamp {
  seconds: number;
  nanos: number;
}

interface Trace {
  vertexes: Vertex[];
  logs: { vertex: string; msg: Uint8Array }[];
}

/** Part of moby.buildkit.v1 (control.proto) that is read here; unknown fields are skipped. */
export const statusSchema = {
  nested: {
    Timestamp: { fields: { seconds: { type: 'int64', id: 1 }, nanos: { type: 'int32', id: 2 } } },
    Vertex: {
      fields: {
        digest: { type: 'string', id: 1 },
        name: { type: 'string', id: 3 },
        cached: { type: 'bool', id: 4 },
        started: { type: 'Timestamp', id: 5 },
        completed: { type: 'Timestamp', id: 6 },
        error: { type: 'string', id: 7 },
      },
    },
    VertexLog: { fields: { vertex: { type: 'string', id: 1 }, msg: { type: 'bytes', id: 4 } } },
    StatusResponse: {
      fields: {
        vertexes: { rule: 'repeated', type: 'Vertex', id: 1 },
        logs: { rule: 'repeated', type: 'VertexLog', id: 3 },
      },
    },
  },
} as const;

/** Turns traces into events: each step starts once and ends once, log lines are whole lines. */
export class TraceReader {
  readonly #response: Type;
  readonly #states = new Map<string, 'started' | 'over'>();
  readonly #partial = new Map<string, Buffer>();

  private constructor(response: Type) {
    this.#response = response;
  }

  /** Imports protobufjs, which only a build needs. */
  static async open(): Promise<TraceReader> {
    const { default: protobuf } = await import('protobufjs/light.js');
    return new TraceReader(protobuf.Root.fromJSON(statusSchema).lookupType('StatusResponse'));
  }

  /** Reads the events of one trace message, in order: steps that start, their lines, steps that end. */
  read(base64: string): BuildEvent[] {
    const message = this.#decode(base64);
    const trace = this.#response.toObject(message, { longs: Number, arrays: true, defaults: true }) as Trace;
    const starts = trace.vertexes.flatMap((vertex) => this.#starts(vertex));
    const lines = trace.logs.flatMap((log) => this.#lines(log.vertex, Buffer.from(log.msg)));
    const ends = trace.vertexes.flatMap((vertex) => this.#ends(vertex));
    return [...starts, ...lines, ...ends];
  }

  #decode(base64: string): Message {
    try {
      return this.#response.decode(Buffer.from(base64, 'base64'));
    } catch (cause) {
      throw new GbuildError('engine-failed', `the builder reports its steps in a way that gbuild does not understand`, {
        suggestions: ['gbuild doctor'],
        cause,
      });
    }
  }

  #starts(vertex: Vertex): BuildEvent[] {
    const begun = vertex.started ?? vertex.completed;
    if (!begun || this.#states.has(vertex.digest)) return [];
    this.#states.set(vertex.digest, 'started');
    return [{ kind: 'step', id: vertex.digest, name: vertex.name, state: 'started' }];
  }

  #ends(vertex: Vertex): BuildEvent[] {
    const { digest: id, name, started, completed } = vertex;
    if (!completed || this.#states.get(id) === 'over') return [];
    this.#states.set(id, 'over');
    const state = vertex.error !== '' ? 'failed' : vertex.cached ? 'cached' : 'done';
    const seconds = started ? toSeconds(completed) - toSeconds(started) : 0;
    return [...this.#flush(id), { kind: 'step', id, name, state, seconds }];
  }

  #lines(id: string, chunk: Buffer): BuildEvent[] {
    const bytes = Buffer.concat([this.#partial.get(id) ?? Buffer.alloc(0), chunk]);
    const end = bytes.lastIndexOf(0x0a);
    this.#partial.set(id, bytes.subarray(end + 1));
    if (end < 0) return [];
    const lines = bytes.toString('utf8', 0, end).split('\n');
    return lines.map((line) => ({ kind: 'log', id, line: line.replace(/\r$/, '') }));
  }

  #flush(id: string): BuildEvent[] {
    const rest = this.#partial.get(id);
    this.#partial.delete(id);
    return rest === undefined || rest.length === 0 ? [] : [{ kind: 'log', id, line: rest.toString('utf8') }];
  }
}

function toSeconds(time: Timestamp): number {
  return time.seconds + time.nanos / 1e9;
}
