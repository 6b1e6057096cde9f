import { writeTar } from '../../../src/oci/tar/tar.ts';

/** Makes an archive of files, by path. */
export function tarOf(files: Record<string, string | Buffer>): Buffer {
  const items = Object.entries(files).map(([path, text]) => {
    const bytes = Buffer.from(text);
    const header = { path, type: 'file' as const, mode: 0o644, uid: 0, gid: 0, mtime: 1, size: bytes.length };
    return { header, content: { bytes, size: bytes.length } };
  });
  return Buffer.concat([...writeTar(items)]);
}
