import { createHash } from 'node:crypto';
import { statSync } from 'node:fs';
import { readPieces } from '../../../src/fs/read-bounded.ts';
import { parseDestination } from '../../../src/put/depot/destination.ts';
import { putFilesAt } from '../../../src/put/put-files.ts';

// Puts the file of its first argument at the address of its second, and prints the most memory that it had, in bytes.
const [, , hostFile = '', url = ''] = process.argv;
const hash = createHash('sha256');
for (const piece of readPieces(hostFile)) hash.update(piece);
await putFilesAt(
  parseDestination(url),
  [{ path: 'x', hostFile, size: statSync(hostFile).size, sha256: hash.digest('hex') }],
  {
    host: { env: process.env, homeDir: '/nowhere' },
    signal: new AbortController().signal,
    trace: () => {},
    readExtraRoots: () => '',
  },
);
console.log(process.resourceUsage().maxRSS * 1024);
