import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FileToPut } from '../../../src/put/depot/depot.ts';
import { parseDestination } from '../../../src/put/depot/destination.ts';
import { type FilePut, putFilesAt } from '../../../src/put/put-files.ts';
import { errorOf } from '../assert/error-of.ts';

/** Folder with files to put, and a caller with a home in it. */
export interface PutRig extends Disposable {
  dir: string;
  trace: string[];
  file(path: string, content: string | Buffer): FileToPut;
  put(url: string, files: FileToPut[], env?: Record<string, string>): Promise<FilePut[]>;
  /** Returns the failure, with the rig's folder and other varying words replaced. */
  failure(
    url: string,
    files: FileToPut[],
    env?: Record<string, string>,
  ): Promise<{ code: string; message: string; suggestions: string[] }>;
  /** Stops what runs. */
  stop(reason: Error): void;
}

/** Opens it; `extraRoots` is PEM of roots that the host trusts. */
export function openPutRig({ extraRoots = '' }: { extraRoots?: string } = {}): PutRig {
  const dir = mkdtempSync(join(tmpdir(), 'gbuild-put-'));
  const trace: string[] = [];
  const asked = new AbortController();
  let count = 0;
  const put = (url: string, files: FileToPut[], env: Record<string, string> = {}) =>
    putFilesAt(parseDestination(url), files, {
      host: { env, homeDir: dir },
      signal: asked.signal,
      trace: (line) => void trace.push(line),
      readExtraRoots: () => extraRoots,
      settings: { random: () => 1, sleep: async () => {} },
    });
  return {
    dir,
    trace,
    file: (path, content) => {
      count += 1;
      const hostFile = join(dir, `source-${count}`);
      writeFileSync(hostFile, content);
      const bytes = Buffer.from(content);
      return { path, hostFile, size: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') };
    },
    put,
    failure: async (url, files, env) => {
      const { code, message, suggestions } = await errorOf(() => put(url, files, env));
      const tame = (text: string) =>
        text
          .replaceAll(dir, '<dir>')
          .replaceAll(/127\.0\.0\.1:\d+/g, '<host>')
          .replaceAll(/\bapp\/\d+\.tar\.gz/g, 'app/<key>')
          .replaceAll(/\b[0-9a-f]{64}\b/g, '<sha256>');
      return { code, message: tame(message), suggestions: suggestions.map(tame) };
    },
    stop: (reason) => asked.abort(reason),
    [Symbol.dispose]: () => rmSync(dir, { recursive: true, force: true }),
  };
}
