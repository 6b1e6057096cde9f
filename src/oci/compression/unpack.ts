import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { GbuildError } from '../../errors.ts';
import { frameMagic, unzstd } from './zstd.ts';

export type Compression = 'none' | 'gzip' | 'zstd';

/**
 * Reads the compression from a layer's media type: OCI's and Docker's names, also of foreign layers; undefined for
 * others. Pure.
 */
export function compressionOf(mediaType: string): Compression | undefined {
  const found =
    /^application\/vnd\.(?:oci\.image\.layer\.(?:nondistributable\.)?v1|docker\.image\.rootfs(?:\.foreign)?\.diff)\.tar(?:[.+](gzip|zstd))?$/.exec(
      mediaType,
    );
  return found === null ? undefined : ((found[1] as 'gzip' | 'zstd' | undefined) ?? 'none');
}

/** Detects the compression by the first four bytes of a layer, where no media type names it. Pure. */
export function detectCompression(bytes: Buffer): Compression {
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) return 'gzip';
  return bytes.length >= 4 && bytes.readUInt32LE() === frameMagic ? 'zstd' : 'none';
}

/** Unpacks a tar. A reader that stops early ends the source, without an error. */
export function unpack(compression: Compression, bytes: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  if (compression === 'zstd') return unzstd(bytes);
  return compression === 'gzip' ? gunzip(bytes) : bytes;
}

/** Whether the bytes are damaged; otherwise their source has failed. */
export function isUnpackFault(thrown: unknown): boolean {
  if (thrown instanceof GbuildError) return thrown.code === 'store-failed';
  return /^Z(STD)?_/.test((thrown as NodeJS.ErrnoException).code ?? '');
}

async function* gunzip(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const [source, unzip] = [Readable.from(chunks), createGunzip()];
  const passed = pipeline(source, unzip);
  passed.catch(() => undefined);
  try {
    yield* unzip;
    await passed;
  } finally {
    source.destroy();
    unzip.destroy();
  }
}
