import type { ByteRange } from '../attest/packages/zip.ts';

/** Files that a program or library of Linux needs, from its own headers (System V ABI, chapters 4 and 5). */
export interface Elf {
  is64: boolean;
  /** Field `e_machine`. */
  machine: number;
  /** PT_INTERP: loader that the kernel starts instead; a static program has none. */
  interpreter?: string;
  /** DT_NEEDED: names, or paths with a slash. */
  needed: string[];
  /** DT_RPATH: folders for its own needs and those of the libraries that it loads. */
  rpath: string[];
  /** DT_RUNPATH: folders for its own needs only; DT_RPATH is then ignored. */
  runpath: string[];
}

const segment = { load: 1, dynamic: 2, interpreter: 3 } as const;
const tag = { needed: 1, stringTable: 5, rpath: 15, runpath: 29 } as const;
const mostText = 4096;
const mostDynamic = 1 << 20;

/** Reads an ELF file; undefined for other files, and for unreadable ones. */
export function readElf(range: ByteRange): Elf | undefined {
  try {
    return new ElfReader(range).read();
  } catch (thrown) {
    // An offset in the file leads beyond its end.
    if (thrown instanceof RangeError) return undefined;
    throw thrown;
  }
}

interface Segment {
  type: number;
  offset: number;
  address: number;
  size: number;
}

class ElfReader {
  readonly #range: ByteRange;
  readonly #header: Buffer;
  readonly #is64: boolean;
  readonly #isBig: boolean;

  constructor(range: ByteRange) {
    this.#range = range;
    this.#header = range.read(0, 64);
    this.#is64 = this.#header[4] === 2;
    this.#isBig = this.#header[5] === 2;
  }

  read(): Elf | undefined {
    const header = this.#header;
    if (header.length < 52 || header.readUInt32BE(0) !== 0x7f45_4c46) return undefined;
    const segments = this.#readSegments();
    const interpreter = segments.find(({ type }) => type === segment.interpreter);
    return {
      is64: this.#is64,
      machine: this.#half(header, 18),
      ...(interpreter !== undefined && { interpreter: this.#textAt(interpreter.offset) }),
      ...this.#readDynamic(segments),
    };
  }

  #readSegments(): Segment[] {
    const [start, entrySize, count] = this.#is64
      ? [this.#word(this.#header, 32), this.#half(this.#header, 54), this.#half(this.#header, 56)]
      : [this.#word(this.#header, 28), this.#half(this.#header, 42), this.#half(this.#header, 44)];
    const table = this.#range.read(start, entrySize * count);
    return Array.from({ length: count }, (_, index) => {
      const entry = table.subarray(index * entrySize, (index + 1) * entrySize);
      const [offset, address, size] = this.#is64 ? [8, 16, 32] : [4, 8, 16];
      return {
        type: this.#int(entry, 0),
        offset: this.#word(entry, offset),
        address: this.#word(entry, address),
        size: this.#word(entry, size),
      };
    });
  }

  #readDynamic(segments: Segment[]): Pick<Elf, 'needed' | 'rpath' | 'runpath'> {
    const found = segments.find(({ type }) => type === segment.dynamic);
    const entries = found === undefined ? [] : this.#readEntries(found);
    const table = entries.find(([name]) => name === tag.stringTable)?.[1] ?? 0;
    const home = segments.find(
      ({ type, address, size }) => type === segment.load && table >= address && table < address + size,
    );
    const texts = (wanted: number) =>
      home === undefined
        ? []
        : entries
            .filter(([name]) => name === wanted)
            .map(([, at]) => this.#textAt(home.offset + table - home.address + at));
    const folders = (wanted: number) => texts(wanted).flatMap((text) => text.split(':').filter(Boolean));
    return { needed: texts(tag.needed), rpath: folders(tag.rpath), runpath: folders(tag.runpath) };
  }

  #readEntries({ offset, size }: Segment): [number, number][] {
    const width = this.#is64 ? 8 : 4;
    const bytes = this.#range.read(offset, Math.min(size, mostDynamic));
    const entries: [number, number][] = [];
    for (let at = 0; at + 2 * width <= bytes.length; at += 2 * width) {
      const name = this.#word(bytes, at);
      if (name === 0) break;
      entries.push([name, this.#word(bytes, at + width)]);
    }
    return entries;
  }

  #textAt(offset: number): string {
    const bytes = this.#range.read(offset, mostText);
    const end = bytes.indexOf(0);
    return bytes.toString('utf8', 0, end === -1 ? bytes.length : end);
  }

  #half(bytes: Buffer, at: number): number {
    return this.#isBig ? bytes.readUInt16BE(at) : bytes.readUInt16LE(at);
  }

  #int(bytes: Buffer, at: number): number {
    return this.#isBig ? bytes.readUInt32BE(at) : bytes.readUInt32LE(at);
  }

  /** Reads a number of an address's width. */
  #word(bytes: Buffer, at: number): number {
    if (!this.#is64) return this.#int(bytes, at);
    return Number(this.#isBig ? bytes.readBigUInt64BE(at) : bytes.readBigUInt64LE(at));
  }
}
