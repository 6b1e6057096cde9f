import type { Host } from '../../host.ts';
import type { RegistrySettings } from '../../registry/http/settings.ts';
import type { Destination } from './destination.ts';

/** Finished file on this machine. */
export interface FileToPut {
  /** Path below a destination that is a folder, with `/`. */
  path: string;
  hostFile: string;
  /** Size in bytes. */
  size: number;
  /** Hex digits. */
  sha256: string;
}

/** File at a destination, put before or by another tool. */
export interface FileThere {
  size: number | undefined;
  /** Hex digits. */
  sha256: string;
  isSame: boolean;
}

/** Machine and caller, as far as a put needs them. */
export interface PutContext {
  host: Pick<Host, 'env' | 'homeDir'>;
  signal: AbortSignal;
  /** Called with one line for each request; it contains no secret. */
  trace: (line: string) => void;
  /** Reads PEM of additional roots to trust; called for the first TLS connection. */
  readExtraRoots: () => string;
  settings?: Partial<RegistrySettings>;
}

/** One kind of place. Each call is about one file; none follows a redirect. */
export interface Depot {
  /** Compares what is there with the file; undefined where nothing is. */
  look(at: Destination, file: FileToPut): Promise<FileThere | undefined>;
  /**
   * Writes the whole file unless something is there. Returns whether it wrote; false where another one was faster.
   */
  write(at: Destination, file: FileToPut): Promise<boolean>;
  close(): void;
}
