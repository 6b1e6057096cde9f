import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readImageTree } from '../../src/inspect/image-tree.ts';
import { digestOf } from '../../src/oci/digest.ts';
import type { Layer } from '../../src/oci/layer/layer.ts';
import { type TarItem, takeFreshSlab, writeTar } from '../../src/oci/tar/tar.ts';
import { findStartFaults } from '../../src/start/find-faults.ts';
import { ImageFiles } from '../../src/start/image-files.ts';
import type { ImageStart } from '../../src/start/start-fault.ts';
import { file as entryOf } from '../support/images/tree.ts';

/** A path of a layer: the text of a file, or more. */
type Made = string | Buffer | { link: string } | { hardlink: string } | { folder: number } | Owned;

interface Owned {
  content: string | Buffer;
  mode: number;
  uid?: number;
  gid?: number;
}

const dir = join(tmpdir(), `gbuild-start-${process.pid}`);

/** Call it after all tests of a file: layers lie on disk. */
export function removeLayers(): void {
  rmSync(dir, { recursive: true, force: true });
}

function headerOf(made: Made): Omit<TarItem['header'], 'path' | 'size' | 'mtime'> {
  const owner = { mode: 0o755, uid: 0, gid: 0 };
  if (typeof made === 'string' || Buffer.isBuffer(made)) return { type: 'file', ...owner };
  if ('link' in made) return { type: 'symlink', ...owner, linkTarget: made.link };
  if ('hardlink' in made) return { type: 'hardlink', ...owner, linkTarget: made.hardlink };
  if ('folder' in made) return { type: 'directory', ...owner, mode: made.folder };
  return { type: 'file', ...owner, mode: made.mode, uid: made.uid ?? 0, gid: made.gid ?? 0 };
}

function layerOf(paths: Record<string, Made>, name: string): Layer {
  const items = Object.entries(paths).map(([path, made]): TarItem => {
    const isFile = typeof made === 'string' || Buffer.isBuffer(made) || 'content' in made;
    const bytes = Buffer.from(!isFile ? '' : typeof made === 'object' && 'content' in made ? made.content : made);
    const header = { ...headerOf(made), path, mtime: 1, size: bytes.length };
    return isFile ? { header, content: { bytes, size: bytes.length } } : { header };
  });
  const bytes = Buffer.concat([...writeTar(items, takeFreshSlab)]);
  const hostFile = join(dir, `${name}-${digestOf(bytes).slice(7)}`);
  mkdirSync(dir, { recursive: true });
  writeFileSync(hostFile, bytes);
  return { diffId: digestOf(bytes), size: bytes.length, createdBy: 'by hand', hostFile, chunks: () => [bytes] };
}

export interface MadeImage extends Partial<ImageStart> {
  /** Files of the base, lowest first; a text is executable for all. */
  layers?: Record<string, Made>[];
  /** Files of the application, below /app. */
  app?: Record<string, string>;
}

export async function filesOf({ layers = [], app = {} }: MadeImage): Promise<ImageFiles> {
  const tree = await readImageTree({ layers: layers.map((each, at) => layerOf(each, String(at))) });
  const entries = Object.entries(app).map(([path, text]) => [`app/${path}`, entryOf(`app/${path}`, text)] as const);
  return new ImageFiles(tree, new Map(entries));
}

/** Says in words what the image of these files lacks to start. */
export async function faultsOf(words: string[], made: MadeImage): Promise<string[]> {
  const { user = '65532:65532', workdir = '/app', env = {}, platform = 'linux/amd64' } = made;
  const start = { words, user, workdir, env, platform };
  return findStartFaults(await filesOf(made), start).map(({ what }) => what);
}

export interface MadeElf {
  interpreter?: string;
  needed?: string[];
  rpath?: string;
  runpath?: string;
  /** `e_machine`: x86-64 when left out. */
  machine?: number;
  is64?: boolean;
  isBig?: boolean;
}

/** The headers of a program or library, by the System V ABI: enough of one to be loaded, and no code. */
export function elfOf({
  interpreter,
  needed = [],
  rpath,
  runpath,
  machine = 62,
  is64 = true,
  isBig = false,
}: MadeElf = {}) {
  const strings = ['', ...needed, rpath ?? '', runpath ?? ''];
  const places = strings.map((_, at) =>
    Buffer.byteLength(
      strings
        .slice(0, at)
        .map((text) => `${text}\0`)
        .join(''),
    ),
  );
  const table = Buffer.from(strings.map((text) => `${text}\0`).join(''));
  const address = 0x40_0000;
  const [headerSize, entrySize, width] = is64 ? [64, 56, 8] : [52, 32, 4];
  const text = Buffer.from(interpreter === undefined ? '' : `${interpreter}\0`);
  const count = 2 + (interpreter === undefined ? 0 : 1);
  const textAt = headerSize + entrySize * count;
  const tableAt = textAt + text.length;
  const dynamicAt = tableAt + table.length;
  const at = (index: number) => places[index]!;
  const entries = [
    ...needed.map((_, index) => [1, at(index + 1)]),
    [5, address + tableAt],
    ...(rpath === undefined ? [] : [[15, at(needed.length + 1)]]),
    ...(runpath === undefined ? [] : [[29, at(needed.length + 2)]]),
    [0, 0],
  ];
  const size = dynamicAt + entries.length * 2 * width;
  const bytes = Buffer.alloc(size);
  const half = (value: number, to: number) => (isBig ? bytes.writeUInt16BE(value, to) : bytes.writeUInt16LE(value, to));
  const int = (value: number, to: number) => (isBig ? bytes.writeUInt32BE(value, to) : bytes.writeUInt32LE(value, to));
  const word = (value: number, to: number) => {
    if (!is64) int(value, to);
    else if (isBig) bytes.writeBigUInt64BE(BigInt(value), to);
    else bytes.writeBigUInt64LE(BigInt(value), to);
  };
  bytes.write('\x7fELF', 'latin1');
  bytes.set([is64 ? 2 : 1, isBig ? 2 : 1, 1], 4);
  half(3, 16);
  half(machine, 18);
  word(headerSize, is64 ? 32 : 28);
  half(entrySize, is64 ? 54 : 42);
  half(count, is64 ? 56 : 44);
  const segments = [
    [1, 0, size],
    ...(interpreter === undefined ? [] : [[3, textAt, text.length]]),
    [2, dynamicAt, entries.length * 2 * width],
  ];
  for (const [index, [type, offset, length]] of segments.entries()) {
    const to = headerSize + index * entrySize;
    int(type!, to);
    const [offsetAt, addressAt, sizeAt] = is64 ? [8, 16, 32] : [4, 8, 16];
    word(offset!, to + offsetAt!);
    word(address + offset!, to + addressAt!);
    word(length!, to + sizeAt!);
  }
  bytes.set(text, textAt);
  bytes.set(table, tableAt);
  for (const [index, [name, value]] of entries.entries()) {
    word(name!, dynamicAt + index * 2 * width);
    word(value!, dynamicAt + index * 2 * width + width);
  }
  return bytes;
}
