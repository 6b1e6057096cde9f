import { createHash } from 'node:crypto';
import { GbuildError } from '../../errors.ts';
import type { Descriptor } from '../../oci/spec.ts';

/** Produces a blob's bytes from an offset on; called again when some must be sent again. */
export type OpenBlob = (offset: number) => Iterable<Buffer> | AsyncIterable<Buffer>;

/**
 * Blob to send, with every byte hashed when it is sent first. The last bytes are sent only when size and digest are
 * right. Repeated bytes are checked by the registry.
 */
export class CheckedSource {
  readonly #blob: Pick<Descriptor, 'digest' | 'size'>;
  readonly #open: OpenBlob;
  readonly #onBytes: (count: number) => void;
  readonly #hash = createHash('sha256');
  #hashed = 0;
  #told = 0;
  #position = 0;
  #isRight = false;

  constructor(blob: Pick<Descriptor, 'digest' | 'size'>, open: OpenBlob, onBytes: (count: number) => void) {
    this.#blob = blob;
    this.#open = open;
    this.#onBytes = onBytes;
  }

  /** Yields exactly the bytes from `start` up to `end`. Throws where the blob is shorter, longer or different. */
  async *read(start: number, end: number): AsyncGenerator<Buffer> {
    this.#goTo(start);
    // Bytes that were sent in another way are hashed as well.
    let position = Math.min(start, this.#hashed);
    if (position < end) {
      for await (const chunk of this.#open(position)) {
        const part = chunk.subarray(0, end - position);
        this.#check(part, position);
        const fresh = part.subarray(Math.max(0, start - position));
        position += part.length;
        if (position === this.#blob.size && chunk.length > part.length) throw this.#differs('it is longer');
        if (position === this.#blob.size) this.#compare();
        if (fresh.length > 0) yield fresh;
        if (position === end) break;
      }
    }
    if (position < end) throw this.#differs(`it ends after ${position} bytes`);
  }

  /** Counts sent bytes. */
  sent(count: number): void {
    this.#position += count;
    this.#tell();
  }

  /** Throws where the sent bytes were not the blob's; called after all were sent. */
  async verify(): Promise<void> {
    for await (const _sent of this.read(this.#blob.size, this.#blob.size));
    this.#compare();
  }

  #compare(): void {
    if (this.#isRight) return;
    const found = this.#hash.digest('hex');
    if (`sha256:${found}` !== this.#blob.digest) throw this.#differs(`its digest is sha256:${found}`);
    this.#isRight = true;
  }

  /** Reports that the registry has the whole blob. */
  finish(): void {
    this.#goTo(this.#blob.size);
  }

  #check(part: Buffer, position: number): void {
    const known = Math.max(0, this.#hashed - position);
    const fresh = part.subarray(Math.min(known, part.length));
    if (fresh.length === 0) return;
    this.#hash.update(fresh);
    this.#hashed += fresh.length;
  }

  #goTo(position: number): void {
    this.#position = position;
    this.#tell();
  }

  #tell(): void {
    const count = this.#position - this.#told;
    this.#told = this.#position;
    if (count !== 0) this.#onBytes(count);
  }

  #differs(why: string): GbuildError {
    const { digest, size } = this.#blob;
    const message = `the blob ${digest} of ${size} bytes is not what is to be sent: ${why}`;
    return new GbuildError('registry-failed', message, { facts: { digest, size } });
  }
}
