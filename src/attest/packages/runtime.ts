import type { FoundPackage } from './package.ts';

const mark = Buffer.from('nodejs.org/download/release/v');
const longest = mark.length + 24;

/** Finds the Node.js version of a program by the address of its sources inside it: no package manager records it. */
export async function findNodeVersion(chunks: AsyncIterable<Uint8Array>): Promise<FoundPackage[]> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of chunks) {
    const text = Buffer.concat([rest, chunk]);
    const at = text.indexOf(mark);
    if (at !== -1 && at + longest <= text.length) {
      const version = /^\d+\.\d+\.\d+/.exec(text.toString('latin1', at + mark.length, at + longest))?.[0];
      return version === undefined ? [] : [{ type: 'generic', name: 'node', version, licence: 'MIT' }];
    }
    rest = at === -1 ? text.subarray(-mark.length) : text.subarray(at);
  }
  return [];
}
