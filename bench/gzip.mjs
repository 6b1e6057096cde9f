// Compresses a file as layers are compressed: node bench/gzip.mjs FROM TO
import { createReadStream, createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { chooseDeflate } from '../src/oci/compression/deflate.ts';
import { gzip } from '../src/oci/compression/gzip.ts';

const [from, to] = process.argv.slice(2);
const source = createReadStream(from, { highWaterMark: 1 << 20 });
await pipeline(gzip(source, await chooseDeflate()), createWriteStream(to));
