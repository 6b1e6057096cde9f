/** Source of a file's bytes: a file of the host, read when the layer is written, or bytes in memory. */
export type Content = { hostFile: string; size: number } | { bytes: Uint8Array; size: number };

/**
 * Path of a layer. It has no time, owner or mode except for the executable bit, so that none of them can affect a
 * digest. Paths are relative, '/'-separated, without a leading './' or '/'. NFC is not applied: the bytes stay.
 */
export type Entry =
  | { path: string; type: 'directory' }
  | { path: string; type: 'file'; executable: boolean; content: Content }
  | { path: string; type: 'symlink'; target: string };

/** Path of the layers below that this layer hides (OCI layer.md, "Whiteouts"). */
export interface Whiteout {
  path: string;
  type: 'whiteout';
}
