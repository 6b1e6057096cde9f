import { inflateRawSync } from 'node:zlib';

/** Bytes with random access: of a file on disk, or in memory. */
export interface ByteRange {
  size: number;
  /** Reads bytes; fewer than requested at the end. */
  read(offset: number, length: number): Buffer;
}

/** File in a zip, according to the central directory. */
export interface ZipEntry {
  name: string;
  isStored: boolean;
  compressedSize: number;
  size: number;
  /** Offset of its local header. */
  offset: number;
}

export function rangeOfBytes(bytes: Buffer): ByteRange {
  return { size: bytes.length, read: (offset, length) => bytes.subarray(offset, offset + length) };
}

/** Lists the zip's files (APPNOTE 4.3, Zip64 too); nothing else is read. Undefined for other formats. */
export function listZip(range: ByteRange): ZipEntry[] | undefined {
  const end = findEnd(range);
  if (end === undefined) return undefined;
  const directory = range.read(end.at - end.size, end.size);
  // Data before the first file (a start script) shifts all offsets.
  const shift = end.at - end.size - end.offset;
  const entries: ZipEntry[] = [];
  for (let at = 0; at + 46 <= directory.length && directory.readUInt32LE(at) === 0x02014b50; ) {
    const next = at + 46 + [28, 30, 32].reduce((sum, field) => sum + directory.readUInt16LE(at + field), 0);
    const entry = decodeEntry(directory.subarray(at, next));
    entries.push({ ...entry, offset: entry.offset + shift });
    at = next;
  }
  return entries;
}

const mostInflated = 256 << 20;

/** Opens a file of the zip; a stored one is not copied. Undefined where it cannot be read or is enormous. */
export function openEntry(range: ByteRange, entry: ZipEntry): ByteRange | undefined {
  const header = range.read(Math.max(0, entry.offset), 30);
  if (header.length < 30 || header.readUInt32LE(0) !== 0x04034b50) return undefined;
  const start = entry.offset + 30 + header.readUInt16LE(26) + header.readUInt16LE(28);
  if (entry.isStored) return sliceRange(range, start, entry.size);
  if (entry.size > mostInflated) return undefined;
  try {
    const packed = range.read(start, entry.compressedSize);
    return rangeOfBytes(inflateRawSync(packed, { maxOutputLength: Math.max(entry.size, 1) }));
  } catch {
    return undefined;
  }
}

function sliceRange(range: ByteRange, start: number, size: number): ByteRange {
  return { size, read: (at, length) => range.read(start + at, Math.max(0, Math.min(length, size - at))) };
}

function decodeEntry(record: Buffer): ZipEntry {
  const [nameLength, extraLength] = [record.readUInt16LE(28), record.readUInt16LE(30)];
  const wide = wideNumbers(record.subarray(46 + nameLength, 46 + nameLength + extraLength));
  const number = (at: number) => {
    const value = record.readUInt32LE(at);
    return value === 0xffffffff ? (wide.next().value ?? value) : value;
  };
  // Order of the fields in Zip64's extra field (APPNOTE 4.5.3).
  const [size, compressedSize, offset] = [number(24), number(20), number(42)];
  const name = record.toString('utf8', 46, 46 + nameLength);
  return { name, isStored: record.readUInt16LE(10) === 0, compressedSize, size, offset };
}

function* wideNumbers(extra: Buffer): Generator<number, undefined> {
  for (let at = 0; at + 4 <= extra.length; at += 4 + extra.readUInt16LE(at + 2)) {
    const end = Math.min(extra.length, at + 4 + extra.readUInt16LE(at + 2));
    if (extra.readUInt16LE(at) !== 1) continue;
    for (let field = at + 4; field + 8 <= end; field += 8) yield Number(extra.readBigUInt64LE(field));
  }
}

/** Finds the end of the central directory, its size, and its declared start. */
function findEnd(range: ByteRange): { at: number; size: number; offset: number } | undefined {
  const tailSize = Math.min(range.size, 22 + 0xffff);
  const tail = range.read(range.size - tailSize, tailSize);
  const found = tail.lastIndexOf(Buffer.from('PK\x05\x06', 'latin1'));
  if (found === -1 || found + 22 > tail.length) return undefined;
  const at = range.size - tailSize + found;
  const [size, offset] = [tail.readUInt32LE(found + 12), tail.readUInt32LE(found + 16)];
  const end = offset === 0xffffffff || size === 0xffffffff ? findWideEnd(range, at) : { at, size, offset };
  return end === undefined || end.size > end.at ? undefined : end;
}

function findWideEnd(range: ByteRange, end: number): { at: number; size: number; offset: number } | undefined {
  const locator = range.read(Math.max(0, end - 20), 20);
  if (locator.length < 20 || locator.readUInt32LE(0) !== 0x07064b50) return undefined;
  const at = Number(locator.readBigUInt64LE(8));
  const record = range.read(at, 56);
  if (record.length < 56 || record.readUInt32LE(0) !== 0x06064b50) return undefined;
  return { at, size: Number(record.readBigUInt64LE(40)), offset: Number(record.readBigUInt64LE(48)) };
}
