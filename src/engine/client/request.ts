import type { OutgoingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';

/** One request to the engine. `what` completes "the engine refused to ...". */
export interface EngineRequest {
  what: string;
  method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE';
  /** Without the version prefix and without a query. */
  path: string;
  query?: Record<string, string | number | boolean | string[] | undefined>;
  json?: unknown;
  body?: Readable | Buffer;
  headers?: OutgoingHttpHeaders;
  signal?: AbortSignal;
  /**
   * Milliseconds that the engine may be silent before its answer begins; the client's request timeout when left out. Infinity only
   * where silence means nothing and a heartbeat watches the engine.
   */
  within?: number;
}
