import { createHash } from 'node:crypto';
import { createReadStream, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { readCached, writeCached } from '../../fs/cached-file.ts';
import { chooseDeflate } from '../../oci/compression/deflate.ts';
import { compressorName, gzip } from '../../oci/compression/gzip.ts';
import { type Digest, hexOf, isDigest } from '../../oci/digest.ts';
import type { Layer } from '../../oci/layer/layer.ts';
import { type Descriptor, mediaTypes } from '../../oci/spec.ts';
import { writeHashed } from '../../oci/stream/write-hashed.ts';
import type { GrowingBlob } from '../blob/stream-blob.ts';

const format = `compressed 1 ${compressorName}`;

/** Layer as registries store it, with its bytes on disk. */
export interface CompressedLayer {
  descriptor: Descriptor;
  /** Reads its bytes from an offset on. */
  open: (offset: number) => AsyncIterable<Buffer>;
  /** Removes the bytes from the disk. */
  discard: () => void;
}

/**
 * Compressed form of layers. The compression is deterministic, so its result is recorded by diffID: a layer that the
 * registry has need not be compressed again. The records are a cache: without them the layer is compressed again.
 */
export class CompressedLayers {
  readonly #notesDir: string;
  readonly #tempDir: string;

  /**
   * Opens the cache. Records are kept in `notesDir`; bytes lie in `tempDir`, a folder of this push, while they are
   * needed.
   */
  constructor(notesDir: string, tempDir: string) {
    this.#notesDir = notesDir;
    this.#tempDir = tempDir;
  }

  /** Finds the compressed descriptor of a layer, if this machine has compressed it before. */
  find(diffId: Digest): Descriptor | undefined {
    const [digest = '', size] = (readCached(this.#noteOf(diffId), format) ?? '').split(' ');
    return isDigest(digest) ? { mediaType: mediaTypes.layerGzip, digest, size: Number(size) } : undefined;
  }

  /** Loads the compressor, so that it is ready for the first layer. */
  prepare(): void {
    chooseDeflate().catch(() => {});
  }

  /** Compresses a layer as a stream. */
  stream(layer: Layer, onBytes: (count: number) => void, signal: AbortSignal): GrowingBlob {
    let made: Descriptor | undefined;
    let told = 0;
    const count = (bytes: number) => {
      told += bytes;
      onBytes(bytes);
    };
    const finish = (descriptor: Descriptor) => {
      made = descriptor;
      this.#note(layer.diffId, descriptor);
    };
    return {
      open: async function* () {
        count(-told);
        const hash = createHash('sha256');
        let size = 0;
        for await (const chunk of gzip(countChunks(layer, count, signal), await chooseDeflate())) {
          hash.update(chunk);
          size += chunk.length;
          yield chunk;
        }
        finish({ mediaType: mediaTypes.layerGzip, digest: `sha256:${hash.digest('hex')}`, size });
      },
      describe: () => made,
    };
  }

  /** Compresses a layer to disk, because the size is not known before. `onBytes` gets counts of uncompressed bytes. */
  async compress(layer: Layer, onBytes: (count: number) => void, signal: AbortSignal): Promise<CompressedLayer> {
    mkdirSync(this.#tempDir, { recursive: true });
    const hostFile = join(this.#tempDir, hexOf(layer.diffId));
    const { digest, size } = await writeHashed(
      gzip(countChunks(layer, onBytes, signal), await chooseDeflate()),
      hostFile,
    );
    const descriptor = { mediaType: mediaTypes.layerGzip, digest, size };
    this.#note(layer.diffId, descriptor);
    return {
      descriptor,
      open: (offset) => createReadStream(hostFile, { start: offset, highWaterMark: 1 << 18 }),
      discard: () => rmSync(hostFile, { force: true }),
    };
  }

  #noteOf(diffId: Digest): string {
    return join(this.#notesDir, hexOf(diffId));
  }

  #note(diffId: Digest, { digest, size }: Descriptor): void {
    writeCached(this.#noteOf(diffId), format, `${digest} ${size}`);
  }
}

function* countChunks(layer: Layer, onBytes: (count: number) => void, signal: AbortSignal): Generator<Buffer> {
  for (const chunk of layer.chunks()) {
    signal.throwIfAborted();
    onBytes(chunk.length);
    yield chunk;
  }
}
