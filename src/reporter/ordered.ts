import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { type StreamName, untilDrained } from './output.ts';

export interface OutputPair {
  stdout: Writable;
  stderr: Writable;
}

/** Size of the header before each waiting piece: its stream and its length. */
const headerSize = 5;

/**
 * Passes on concurrent outputs as if one had come after the other. The first passes immediately; each other one waits
 * on disk until those before it have ended, and then passes too.
 */
export class OrderedOutput {
  readonly lanes: readonly Lane[];
  readonly #passed: Promise<void>;

  constructor(streams: OutputPair, tempDir: string, count: number) {
    this.lanes = Array.from({ length: count }, (_, at) => new Lane(streams, join(tempDir, `lane-${at + 1}`)));
    this.#passed = this.#passAll();
    this.#passed.catch(() => {});
  }

  /** Settles when all lanes have ended and everything was passed on. */
  async end(): Promise<void> {
    await Promise.all(this.lanes.map((lane) => lane.end()));
    await this.#passed;
  }

  async #passAll(): Promise<void> {
    for (const lane of this.lanes) await lane.pass();
  }
}

/** One of several outputs. */
export class Lane implements OutputPair {
  readonly stdout: Writable;
  readonly stderr: Writable;
  readonly #streams: OutputPair;
  readonly #tempFile: string;
  readonly #ended = Promise.withResolvers<void>();
  /** Work in progress: each written piece is passed on or stored, one after the other. */
  #work: Promise<void> = Promise.resolve();
  #temporary: FileHandle | undefined;
  #isTurn = false;

  constructor(streams: OutputPair, tempFile: string) {
    this.#streams = streams;
    this.#tempFile = tempFile;
    this.stdout = this.#openStream('stdout');
    this.stderr = this.#openStream('stderr');
  }

  /** Ends the lane: nothing more is written to it. */
  async end(): Promise<void> {
    const streams = [this.stdout, this.stderr].filter((stream) => !stream.destroyed);
    await Promise.all(streams.map((stream) => new Promise<void>((resolve) => stream.end(() => resolve()))));
    await this.#work;
    this.#ended.resolve();
  }

  /** Starts the lane's turn; settles when it has ended and everything of it was passed on. */
  async pass(): Promise<void> {
    this.#do(() => this.#passKept());
    await this.#ended.promise;
    await this.#work;
  }

  #openStream(name: StreamName): Writable {
    const write = (chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void) =>
      this.#do(() => (this.#isTurn ? this.#passOn(name, chunk) : this.#keep(name, chunk))).then(() => done(), done);
    // `end` reports it: a full disk must not look like a bug.
    return new Writable({ write }).on('error', () => {});
  }

  #do(work: () => Promise<void>): Promise<void> {
    this.#work = this.#work.then(work);
    this.#work.catch(() => {});
    return this.#work;
  }

  async #passOn(name: StreamName, chunk: Buffer): Promise<void> {
    const target = this.#streams[name];
    if (!target.write(chunk) && !target.destroyed) await untilDrained(target);
  }

  async #keep(name: StreamName, chunk: Buffer): Promise<void> {
    this.#temporary ??= await open(this.#tempFile, 'wx+', 0o600);
    const header = Buffer.alloc(headerSize);
    header.writeUInt8(name === 'stdout' ? 1 : 2);
    header.writeUInt32LE(chunk.length, 1);
    await this.#temporary.appendFile(Buffer.concat([header, chunk]));
  }

  async #passKept(): Promise<void> {
    this.#isTurn = true;
    const temporary = this.#temporary;
    if (temporary === undefined) return;
    try {
      for (let at = 0; ; ) {
        const header = await readPiece(temporary, at, headerSize);
        if (header.length < headerSize) break;
        const chunk = await readPiece(temporary, at + headerSize, header.readUInt32LE(1));
        await this.#passOn(header[0] === 1 ? 'stdout' : 'stderr', chunk);
        at += headerSize + chunk.length;
      }
    } finally {
      await temporary.close();
    }
  }
}

async function readPiece(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const piece = Buffer.alloc(length);
  let done = 0;
  while (done < length) {
    const { bytesRead } = await file.read(piece, done, length - done, position + done);
    if (bytesRead === 0) break;
    done += bytesRead;
  }
  return piece.subarray(0, done);
}
