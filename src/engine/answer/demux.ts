import { GbuildError } from '../../errors.ts';

/** Piece of one output stream. */
export interface Frame {
  stream: 'stdout' | 'stderr';
  data: Buffer;
  /** Whether the frame ends here. */
  isLast: boolean;
}

/**
 * Splits the stream of an attach without TTY into frames: 8 header bytes (stream, three zeros, big-endian length) and a
 * payload. The network may cut it anywhere (Docker API, "Stream format"). Payloads are passed on as they come,
 * uncopied.
 */
export class Demuxer {
  readonly #header = Buffer.alloc(8);
  #headerLength = 0;
  #payloadLeft = 0;
  #stream: Frame['stream'] = 'stdout';

  /**
   * Yields the pieces that a chunk completes, in order. @throws GbuildError `engine-failed` when the stream has another
   * format
   */
  *split(chunk: Buffer): Generator<Frame> {
    let at = 0;
    while (at < chunk.length) {
      if (this.#payloadLeft === 0) {
        const taken = chunk.copy(this.#header, this.#headerLength, at, at + 8 - this.#headerLength);
        at += taken;
        this.#headerLength += taken;
        if (this.#headerLength === 8) this.#readHeader();
      } else {
        const end = Math.min(chunk.length, at + this.#payloadLeft);
        this.#payloadLeft -= end - at;
        yield { stream: this.#stream, data: chunk.subarray(at, end), isLast: this.#payloadLeft === 0 };
        at = end;
      }
    }
  }

  #readHeader(): void {
    const kind = this.#header[0]!;
    if (kind > 3 || this.#header[1] !== 0 || this.#header[2] !== 0 || this.#header[3] !== 0)
      throw new GbuildError(
        'engine-failed',
        `the engine's output stream is broken: frame header ${this.#header.toString('hex')}`,
        {
          suggestions: ['try again', 'gbuild doctor'],
        },
      );
    // Stream 3 is the engine's own error text: people should see it.
    this.#stream = kind >= 2 ? 'stderr' : 'stdout';
    this.#payloadLeft = this.#header.readUInt32BE(4);
    this.#headerLength = 0;
  }
}
