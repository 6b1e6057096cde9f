/** Where a file's bytes come from: a file of the host, read when the layer is written, or bytes at hand. */
export type Content = { hostFile: string; size: number } | { bytes: Uint8Array; size: number };

/**
 * One path of a layer. It carries no time, owner or mode beyond the executable bit, so that none of them can leak into a
 * digest. Paths are relative, '/'-separated, without a leading './' or '/', NFC is not applied: bytes are kept.
 */
export type Entry =
  | { path: string; type: 'directory' }
  | { path: string; type: 'file'; executable: boolean; content: Content }
  | { path: string; type: 'symlink'; target: string };

/** A path of the layers below that this layer hides (OCI layer.md, "Whiteouts"). */
export interface Whiteout {
  path: string;
  type: 'whiteout';
}
