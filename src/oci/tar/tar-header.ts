/** Header of one entry; times in seconds, `size` counts the content's bytes (0 for all but files). */
export interface TarHeader {
  path: string;
  type: 'file' | 'directory' | 'symlink' | 'hardlink' | 'character' | 'block' | 'fifo';
  mode: number;
  uid: number;
  gid: number;
  mtime: number;
  size: number;
  linkTarget?: string;
  device?: { major: number; minor: number };
  /** Additional pax records by keyword: `SCHILY.xattr.security.capability`. */
  records?: Record<string, Uint8Array>;
}

export const blockSize = 512;

/** Type flags of POSIX.1-1988. */
export const typeFlags = {
  file: '0',
  hardlink: '1',
  symlink: '2',
  character: '3',
  block: '4',
  directory: '5',
  fifo: '6',
} as const satisfies Record<TarHeader['type'], string>;

const largestId = 0o7777777;
const largestNumber = 0o77777777777;
/** A name with control characters goes into a pax record, which counts its length. */
const ascii = /^[ -~]*$/;

/**
 * Encodes the pax extended header (POSIX.1-2001) that precedes the entry's ustar block. Undefined where ustar is
 * enough, as for most entries.
 */
export function encodeExtension(header: TarHeader, encoder: UstarEncoder): Buffer | undefined {
  const records = listRecords(header);
  if (records.length === 0) return undefined;
  const body = Buffer.concat(records.map(formatRecord));
  const blocks = Buffer.alloc(blockSize + Math.ceil(body.length / blockSize) * blockSize);
  const rest = { mode: 0o644, uid: 0, gid: 0, mtime: 0, size: body.length };
  encoder.write(blocks, 0, { ...rest, path: 'pax-records', type: 'pax' });
  blocks.set(body, blockSize);
  return blocks;
}

/** Encodes the whole header of an entry: its extension, where it needs one, and its ustar block. */
export function encodeHeader(header: TarHeader, encoder: UstarEncoder): Buffer {
  const block = Buffer.alloc(blockSize);
  encoder.write(block, 0, header);
  const extension = encodeExtension(header, encoder);
  return extension === undefined ? block : Buffer.concat([extension, block]);
}

function nameOf(header: UstarHeader): string {
  return header.type === 'directory' ? `${header.path}/` : header.path;
}

/** Splits the name into ustar's two fields; undefined where it does not fit. */
export function splitTarName(name: string): { prefix: string; name: string } | undefined {
  if (!ascii.test(name)) return undefined;
  if (name.length <= 100) return { prefix: '', name };
  if (name.length > 256) return undefined;
  const slash = name.indexOf('/', name.length - 101);
  if (slash < 1 || slash > 155 || slash === name.length - 1) return undefined;
  return { prefix: name.slice(0, slash), name: name.slice(slash + 1) };
}

type PaxRecord = [keyword: string, value: Uint8Array];

function listRecords(header: TarHeader): PaxRecord[] {
  const records: PaxRecord[] = header.records === undefined ? [] : Object.entries(header.records);
  const add = (keyword: string, value: string | number) => records.push([keyword, Buffer.from(String(value))]);
  const name = nameOf(header);
  if (splitTarName(name) === undefined) add('path', name);
  if (header.linkTarget !== undefined && !linkFits(header.linkTarget)) add('linkpath', header.linkTarget);
  if (header.uid > largestId) add('uid', header.uid);
  if (header.gid > largestId) add('gid', header.gid);
  if (header.size > largestNumber) add('size', header.size);
  if (header.mtime > largestNumber || header.mtime < 0) add('mtime', header.mtime);
  return records.length < 2 ? records : records.sort(([a], [b]) => (a < b ? -1 : 1));
}

function linkFits(target: string): boolean {
  return target.length <= 100 && ascii.test(target);
}

/** Formats `LENGTH KEYWORD=VALUE\n`, where LENGTH counts itself. */
function formatRecord([keyword, value]: PaxRecord): Buffer {
  const rest = Buffer.concat([Buffer.from(` ${keyword}=`), value, Buffer.from('\n')]);
  let length = rest.length + 1;
  while (String(length).length + rest.length !== length) length = String(length).length + rest.length;
  return Buffer.concat([Buffer.from(String(length)), rest]);
}

type UstarHeader = Omit<TarHeader, 'type'> & { type: TarHeader['type'] | 'pax' };

/** Name for the ustar fields where only the pax record can hold the real one. */
const unsplit = { prefix: '', name: 'long-name' };

interface Template {
  block: Buffer;
  sum: number;
}

/**
 * Writes ustar blocks into slabs. Everything but name, size and link is the same for almost all entries of a layer. A
 * block is therefore a copied template, and its checksum the template's plus the added bytes.
 */
export class UstarEncoder {
  readonly #templates = new Map<string, Template>();
  #last: { header: UstarHeader; template: Template } | undefined;

  write(slab: Buffer, at: number, header: UstarHeader): void {
    const { prefix, name } = splitTarName(nameOf(header)) ?? unsplit;
    const template = this.#template(header);
    slab.set(template.block, at);
    let sum = template.sum + writeAscii(slab, at, name);
    if (header.size > 0 && header.size <= largestNumber) sum += writeOctal(slab, at + 124, header.size, 11);
    if (header.linkTarget !== undefined) {
      sum += writeAscii(slab, at + 157, linkFits(header.linkTarget) ? header.linkTarget : 'long-link');
    }
    if (prefix !== '') sum += writeAscii(slab, at + 345, prefix);
    writeOctal(slab, at + 148, sum, 6);
  }

  #template(header: UstarHeader): Template {
    if (this.#last !== undefined && isAlike(this.#last.header, header)) return this.#last.template;
    const { type, mode, uid, gid, mtime, device } = header;
    const key = `${type} ${mode} ${uid} ${gid} ${mtime} ${device?.major} ${device?.minor}`;
    let template = this.#templates.get(key);
    if (template === undefined) {
      template = makeTemplate(header);
      this.#templates.set(key, template);
    }
    this.#last = { header, template };
    return template;
  }
}

function isAlike(a: UstarHeader, b: UstarHeader): boolean {
  const isSame = a.type === b.type && a.mode === b.mode && a.uid === b.uid && a.gid === b.gid && a.mtime === b.mtime;
  return isSame && a.device === undefined && b.device === undefined;
}

function makeTemplate({ type, mode, uid, gid, mtime, device }: UstarHeader): Template {
  const block = Buffer.alloc(blockSize);
  block.write(octal(mode & 0o7777, 7), 100);
  block.write(octal(uid > largestId ? 0 : uid, 7), 108);
  block.write(octal(gid > largestId ? 0 : gid, 7), 116);
  block.write(octal(0, 11), 124);
  block.write(octal(mtime > largestNumber || mtime < 0 ? 0 : mtime, 11), 136);
  block.write(type === 'pax' ? 'x' : typeFlags[type], 156);
  block.write('ustar\x0000', 257);
  block.write(octal(device?.major ?? 0, 7), 329);
  block.write(octal(device?.minor ?? 0, 7), 337);
  let sum = 8 * 0x20;
  for (const byte of block) sum += byte;
  block.write('000000\0 ', 148);
  return { block, sum };
}

function octal(value: number, digits: number): string {
  return value.toString(8).padStart(digits, '0');
}

/** Writes over the zeros of a template. Returns the increase of the byte sum. */
function writeOctal(slab: Buffer, at: number, value: number, digits: number): number {
  let grown = 0;
  for (let rest = value, i = at + digits - 1; rest > 0; i--) {
    const digit = rest % 8;
    slab[i] = 0x30 + digit;
    grown += digit;
    rest = (rest - digit) / 8;
  }
  return grown;
}

/** Writes the text. Returns the sum of its bytes. */
function writeAscii(slab: Buffer, at: number, text: string): number {
  let sum = 0;
  for (let i = 0; i < text.length; i++) {
    const byte = text.charCodeAt(i);
    slab[at + i] = byte;
    sum += byte;
  }
  return sum;
}
