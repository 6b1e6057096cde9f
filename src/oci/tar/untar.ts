import { GbuildError } from '../../errors.ts';
import { ByteSource } from '../stream/byte-source.ts';
import { FileSource } from '../stream/file-source.ts';
import { paddingOf } from './tar.ts';
import { blockSize, type TarHeader, typeFlags } from './tar-header.ts';

/** Entry of a foreign tar. `content` may stay unread; it is then skipped. */
export interface ReadEntry {
  header: TarHeader;
  /** Offset of the content in bytes from the tar's start. */
  offset: number;
  content: AsyncIterable<Uint8Array>;
}

/**
 * Reads a ustar, pax or GNU tar. It exists because pax values are bytes (a file capability is no text) and owners may
 * be in pax records; tar-stream decodes the former as UTF-8 and ignores the latter. Throws `store-failed` with `label`
 * for an invalid tar.
 */
export function readTar(chunks: AsyncIterable<Uint8Array>, label: string): AsyncGenerator<ReadEntry> {
  return readSource(new ByteSource(chunks, (why) => notATar(label, why)), label);
}

/** Reads a tar on disk; unread contents are skipped on disk too. */
export function readTarFile(hostFile: string, label: string): AsyncGenerator<ReadEntry> {
  return readSource(new FileSource(hostFile, (why) => notATar(label, why)), label);
}

async function* readSource(source: ByteSource | FileSource, label: string): AsyncGenerator<ReadEntry> {
  try {
    yield* readEntries(source, label);
    await source.drain();
  } finally {
    await source.close();
  }
}

async function* readEntries(source: ByteSource | FileSource, label: string): AsyncGenerator<ReadEntry> {
  let extra: Extra = {};
  for (;;) {
    const block = await source.take(blockSize, true);
    if (block === undefined || isZero(block)) return;
    const flag = String.fromCharCode(block[156]!);
    const header = decodeHeader(block, label);
    const stored = header.size + paddingOf(header.size);
    if (flag === 'g') {
      await source.skip(stored);
    } else if (flag === 'x' || flag === 'L' || flag === 'K') {
      const body = await source.take(stored);
      extra = { ...extra, ...decodeExtra(flag, body!.subarray(0, header.size)) };
    } else {
      const full = applyExtra({ ...header, type: typeOf(flag, header.path, label) }, extra);
      extra = {};
      const end = source.position + full.size;
      yield { header: full, offset: source.position, content: source.until(end) };
      await source.skip(end - source.position + paddingOf(full.size));
    }
  }
}

interface Extra {
  path?: string;
  linkTarget?: string;
  records?: Record<string, Buffer>;
}

type RawHeader = Omit<TarHeader, 'type'>;

function decodeHeader(block: Buffer, label: string): RawHeader {
  let sum = 8 * 0x20;
  for (let i = 0; i < blockSize; i++) if (i < 148 || i >= 156) sum += block[i]!;
  if (sum !== decodeNumber(block, 148, 8)) throw notATar(label, 'a header has a wrong checksum');
  const prefix = block.toString('latin1', 257, 263) === 'ustar\0' ? decodeText(block, 345, 155) : '';
  const name = decodeText(block, 0, 100);
  const linkTarget = decodeText(block, 157, 100);
  const device = { major: decodeNumber(block, 329, 8), minor: decodeNumber(block, 337, 8) };
  return {
    path: prefix === '' ? name : `${prefix}/${name}`,
    mode: decodeNumber(block, 100, 8) & 0o7777,
    uid: decodeNumber(block, 108, 8),
    gid: decodeNumber(block, 116, 8),
    size: decodeNumber(block, 124, 12),
    mtime: decodeNumber(block, 136, 12),
    ...(linkTarget === '' ? {} : { linkTarget }),
    ...(device.major === 0 && device.minor === 0 ? {} : { device }),
  };
}

function decodeText(block: Buffer, at: number, length: number): string {
  const end = block.indexOf(0, at);
  return block.toString('utf8', at, end === -1 ? at + length : Math.min(end, at + length));
}

/** Decodes octal text, or GNU's base 256 where the top bit is set. */
function decodeNumber(block: Buffer, at: number, length: number): number {
  if ((block[at]! & 0x80) === 0) return Number.parseInt(block.toString('latin1', at, at + length), 8) || 0;
  let value = block[at]! & 0x7f;
  for (let i = 1; i < length; i++) value = value * 256 + block[at + i]!;
  return value;
}

function decodeExtra(flag: string, body: Buffer): Extra {
  if (flag === 'L') return { path: decodeText(body, 0, body.length) };
  if (flag === 'K') return { linkTarget: decodeText(body, 0, body.length) };
  const records: Record<string, Buffer> = Object.create(null);
  for (let at = 0; at < body.length; ) {
    const space = body.indexOf(0x20, at);
    const length = Number.parseInt(body.toString('latin1', at, space), 10);
    const equals = body.indexOf(0x3d, space);
    if (!(length > 0) || space === -1 || equals === -1) break;
    records[body.toString('utf8', space + 1, equals)] = body.subarray(equals + 1, at + length - 1);
    at += length;
  }
  return { records };
}

function applyExtra(header: TarHeader, { path, linkTarget, records }: Extra): TarHeader {
  const { path: paxPath, linkpath, size, uid, gid, mtime, ...others } = records ?? {};
  const target = linkpath?.toString() ?? linkTarget ?? header.linkTarget;
  return {
    ...header,
    path: paxPath?.toString() ?? path ?? header.path,
    size: size === undefined ? header.size : Number(size),
    uid: uid === undefined ? header.uid : Number(uid),
    gid: gid === undefined ? header.gid : Number(gid),
    mtime: mtime === undefined ? header.mtime : Number(mtime),
    ...(target === undefined ? {} : { linkTarget: target }),
    ...(Object.keys(others).length === 0 ? {} : { records: others }),
  };
}

const typeByFlag = new Map<string, TarHeader['type']>([
  ...Object.entries(typeFlags).map(([type, flag]) => [flag, type as TarHeader['type']] as const),
  ['\0', 'file'],
  ['7', 'file'],
]);

function typeOf(flag: string, path: string, label: string): TarHeader['type'] {
  const type = typeByFlag.get(flag);
  if (type === undefined)
    throw notATar(label, `${JSON.stringify(path)} is of the unknown type ${JSON.stringify(flag)}`);
  return type === 'file' && path.endsWith('/') ? 'directory' : type;
}

function isZero(block: Buffer): boolean {
  return block.every((byte) => byte === 0);
}

function notATar(label: string, why: string): GbuildError {
  return new GbuildError('store-failed', `${label} is not a readable tar archive: ${why}`);
}
