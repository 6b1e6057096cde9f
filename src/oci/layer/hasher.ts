import { createHash } from 'node:crypto';
import type { Worker } from 'node:worker_threads';
import { GbuildError } from '../../errors.ts';
import type { Digest } from '../digest.ts';
import { slabSize } from '../tar/tar.ts';

/**
 * Hasher of slabs: returns the digest of all their bytes. `take` lends the memory for the next slab, `put` takes it
 * back.
 */
export interface SlabHasher {
  take(): Buffer;
  put(slab: Buffer): void;
  finish(): Digest;
  /** Ends the background work, after finish or instead of it. */
  close(): void;
}

/** Size in bytes below which a second thread (40 ms to start) costs more than it saves. */
const worthAThread = 48 << 20;

/**
 * Makes a hasher for about this many bytes. Slabs are reused: the slab of a `take` is invalid after the next `take`.
 */
export function makeSlabHasher(expectedBytes: number): SlabHasher {
  return expectedBytes < worthAThread ? new InlineHasher() : new ThreadHasher();
}

class InlineHasher implements SlabHasher {
  readonly #hash = createHash('sha256');
  readonly #slab = Buffer.allocUnsafeSlow(slabSize);

  take(): Buffer {
    return this.#slab;
  }

  put(slab: Buffer): void {
    this.#hash.update(slab);
  }

  finish(): Digest {
    return `sha256:${this.#hash.digest('hex')}`;
  }

  close(): void {}
}

const ringLength = 16;
const hashTimeout = 60_000;

/** Words of the control block: slabs put, slabs hashed, whether the digest is ready, then the length of each slab. */
const word = { put: 0, hashed: 1, done: 2, lengths: 3 } as const;

/**
 * Source text instead of a file: a worker's file would have to be found in the bundle, under type stripping and in the
 * npm tarball. An empty slab is the last one.
 */
const workerSource = `
const { workerData: { control, slabs, result, slabSize, ringLength } } = require('node:worker_threads');
const hash = require('node:crypto').createHash('sha256');
for (let hashed = 0; ; hashed++) {
  while (Atomics.load(control, ${word.put}) === hashed) Atomics.wait(control, ${word.put}, hashed);
  const slot = hashed % ringLength;
  const length = control[${word.lengths} + slot];
  if (length === 0) break;
  hash.update(Buffer.from(slabs, slot * slabSize, length));
  Atomics.store(control, ${word.hashed}, hashed + 1);
  Atomics.notify(control, ${word.hashed});
}
Buffer.from(result).set(hash.digest());
Atomics.store(control, ${word.done}, 1);
Atomics.notify(control, ${word.done});
`;

/** Hashes in a second thread what the first one reads: a ring of shared slabs, synchronized with Atomics. */
class ThreadHasher implements SlabHasher {
  readonly #control = new Int32Array(new SharedArrayBuffer(4 * (word.lengths + ringLength)));
  readonly #slabs = new SharedArrayBuffer(ringLength * slabSize);
  readonly #result = new SharedArrayBuffer(32);
  readonly #worker: Worker;
  #put = 0;

  constructor() {
    const workerData = { control: this.#control, slabs: this.#slabs, result: this.#result, slabSize, ringLength };
    // Loaded when needed: loading it costs every command as much as hashing ten megabytes.
    const { Worker } = process.getBuiltinModule('node:worker_threads');
    this.#worker = new Worker(workerSource, { eval: true, execArgv: [], env: {}, workerData });
    this.#worker.unref();
  }

  take(): Buffer {
    for (;;) {
      const hashed = Atomics.load(this.#control, word.hashed);
      if (this.#put - hashed < ringLength) break;
      this.#wait(word.hashed, hashed);
    }
    return Buffer.from(this.#slabs, (this.#put % ringLength) * slabSize, slabSize);
  }

  put(slab: Buffer): void {
    this.#control[word.lengths + (this.#put % ringLength)] = slab.length;
    this.#put++;
    Atomics.store(this.#control, word.put, this.#put);
    Atomics.notify(this.#control, word.put);
  }

  finish(): Digest {
    this.put(this.take().subarray(0, 0));
    while (Atomics.load(this.#control, word.done) === 0) this.#wait(word.done, 0);
    return `sha256:${Buffer.from(this.#result).toString('hex')}`;
  }

  close(): void {
    void this.#worker.terminate();
  }

  #wait(index: number, seen: number): void {
    if (Atomics.wait(this.#control, index, seen, hashTimeout) !== 'timed-out') return;
    throw new GbuildError('bug', `the hashing thread has not answered for ${hashTimeout / 1000} s`);
  }
}
