import type { OutgoingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';

/** Request to the engine. `what` completes "the engine refused to ...". */
export interface EngineRequest {
  what: string;
  method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE';
  /** Path without the version prefix and without a query. */
  path: string;
  query?: Record<string, string | number | boolean | string[] | undefined>;
  json?: unknown;
  body?: Readable | Buffer;
  headers?: OutgoingHttpHeaders;
  signal?: AbortSignal;
  /**
   * Milliseconds of silence before the answer begins; defaults to the client's request timeout. Infinity only where
   * silence means nothing and a heartbeat watches the engine.
   */
  within?: number;
}
