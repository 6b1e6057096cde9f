import { createCipheriv, createHash } from 'node:crypto';
import type { Digest } from '../../../src/oci/digest.ts';
import { digestOf } from '../../../src/oci/digest.ts';
import { type Descriptor, type Manifest, mediaTypes } from '../../../src/oci/spec.ts';
import { openRegistries, type RegistriesOptions } from '../../../src/registry/registries.ts';

/** Registries as in a command, which record their pauses instead of sleeping. */
export interface RegistryRig extends ReturnType<typeof openRegistries>, Disposable {
  /** Pauses in milliseconds. */
  pauses: number[];
  trace: string[];
  /** Aborts with the reason. */
  stop(reason: Error): void;
}

export function openRig({ settings, host, ...options }: Partial<RegistriesOptions> = {}): RegistryRig {
  const asked = new AbortController();
  const pauses: number[] = [];
  const trace: string[] = [];
  const registries = openRegistries({
    host: { env: {}, homeDir: '/nowhere', ...host },
    stop: { ask: asked.signal },
    trace: (line) => void trace.push(line),
    settings: {
      random: () => 1,
      sleep: async (milliseconds) => void pauses.push(milliseconds),
      ...settings,
    },
    ...options,
  });
  return {
    ...registries,
    pauses,
    trace,
    stop: (reason) => asked.abort(reason),
    [Symbol.dispose]: () => registries.close(),
  };
}

/** Makes random-looking bytes, the same for the same seed. */
export function makeBytes(size: number, seed = 'gbuild'): Buffer {
  const key = createHash('md5').update(seed).digest();
  return createCipheriv('aes-128-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(size));
}

/** Makes a blob by value: its descriptor, and its bytes from an offset on in pieces. */
export function makeBlob(size: number, seed?: string) {
  const bytes = makeBytes(size, seed);
  const opened: number[] = [];
  return {
    bytes,
    descriptor: { digest: digestOf(bytes), size },
    /** Offsets of the requests. */
    opened,
    open: function* (offset: number): Generator<Buffer> {
      opened.push(offset);
      for (let at = offset; at < size; at += 50_000) yield bytes.subarray(at, Math.min(size, at + 50_000));
    },
  };
}

/** Makes a manifest with one config and no layers. */
export function makeManifest(config: { digest: Digest; size: number }, more: Partial<Manifest> = {}) {
  const mediaType = mediaTypes.manifest;
  const value = {
    schemaVersion: 2,
    mediaType,
    config: { mediaType: mediaTypes.config, ...config },
    layers: [],
    ...more,
  };
  const bytes = Buffer.from(JSON.stringify(value));
  const descriptor: Descriptor = { mediaType, digest: digestOf(bytes), size: bytes.length };
  return { bytes, mediaType, descriptor };
}

/** Sums up the counts of `onBytes`. */
export function countBytes() {
  const counter = {
    total: 0,
    onBytes: (count: number) => {
      counter.total += count;
    },
  };
  return counter;
}

export async function readAll(chunks: AsyncIterable<Buffer>): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const chunk of chunks) parts.push(chunk);
  return Buffer.concat(parts);
}
