import type { Layer } from '../oci/layer/layer.ts';
import { asStream } from '../oci/stream/as-stream.ts';
import type { TarHeader } from '../oci/tar/tar-header.ts';
import { readTar, readTarFile } from '../oci/tar/untar.ts';

/** Facts of one path in an image; `size` in bytes. */
export interface FileFacts {
  /** Path without a slash at its beginning or end. */
  path: string;
  /** Type; `whiteout` means that the layer removes the path. */
  type: TarHeader['type'] | 'whiteout';
  size: number;
  mode: number;
  uid: number;
  gid: number;
  linkTarget?: string;
  /** Extended attributes such as `security.capability`, in hex. */
  attributes?: Record<string, string>;
}

/** File with its time and the offset of its content in the layer's tar. */
export interface LayerFile extends FileFacts {
  offset: number;
  /** Time in seconds since 1970, from the tar. */
  mtime: number;
}

/**
 * Lists the layer's paths in its own order; contents are not kept. Throws `store-failed` for a layer that is no tar.
 */
export async function listFiles(layer: Layer): Promise<LayerFile[]> {
  const label = `the layer ${layer.diffId}`;
  const entries =
    layer.hostFile === undefined ? readTar(asStream(layer.chunks()), label) : readTarFile(layer.hostFile, label);
  const files: LayerFile[] = [];
  for await (const { header, offset } of entries) {
    const path = header.path.replaceAll(/^(\.?\/)+|\/+$/g, '');
    if (path !== '' && path !== '.') files.push({ ...describe(path, header), offset, mtime: header.mtime });
  }
  return files;
}

function describe(path: string, { type, size, mode, uid, gid, linkTarget, records = {} }: TarHeader): FileFacts {
  const prefix = 'SCHILY.xattr.';
  const attributes = Object.entries(records)
    .filter(([key]) => key.startsWith(prefix))
    .map(([key, value]) => [key.slice(prefix.length), Buffer.from(value).toString('hex')]);
  return {
    path,
    type: /(^|\/)\.wh\.[^/]+$/.test(path) ? 'whiteout' : type,
    size,
    mode,
    uid,
    gid,
    ...(linkTarget !== undefined && { linkTarget }),
    ...(attributes.length > 0 && { attributes: Object.fromEntries(attributes) }),
  };
}
