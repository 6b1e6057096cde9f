import { digestOf } from '../../../src/oci/digest.ts';
import { type ExtendOptions, extendImage, type Image, scratchImage } from '../../../src/oci/image/image.ts';
import { type Layer, packLayer } from '../../../src/oci/layer/layer.ts';
import { type TarItem, takeFreshSlab, writeTar } from '../../../src/oci/tar/tar.ts';
import { file } from './tree.ts';

export const created = '2024-05-06T07:08:09Z';
const scratch = scratchImage({ os: 'linux', architecture: 'amd64' });

/** Makes a layer of text files by path, with a name in gbuild's form. */
export function layerOf(name: string, files: Record<string, string>): Layer {
  const entries = Object.entries(files).map(([path, text]) => file(path, text));
  return packLayer(entries, { createdBy: `gbuild layer: ${name}` });
}

/** Makes a layer of anything that a tar can hold; the default is a file of root. */
export function layerOfHeaders(...headers: (Partial<TarItem['header']> & { path: string; text?: string })[]): Layer {
  const items = headers.map(({ text = '', ...header }) => {
    const bytes = Buffer.from(text);
    const full = { type: 'file', mode: 0o644, uid: 0, gid: 0, mtime: 1, size: bytes.length, ...header };
    return { header: full, content: { bytes, size: bytes.length } } as TarItem;
  });
  const bytes = Buffer.concat([...writeTar(items, takeFreshSlab)]);
  return { diffId: digestOf(bytes), size: bytes.length, createdBy: 'by hand', chunks: () => [bytes] };
}

/** Makes a layer of one file of so many MiB, generated while it is read; its diffID is never checked. */
export function hugeLayer(mebibytes: number): Layer {
  const size = mebibytes << 20;
  const header = { path: 'huge', type: 'file', mode: 0o644, uid: 0, gid: 0, mtime: 1, size } as const;
  const [start] = writeTar([{ header }], takeFreshSlab);
  const chunks = function* () {
    yield start!.subarray(0, 512);
    for (let made = 0; made < mebibytes; made += 1) yield Buffer.alloc(1 << 20, made);
    yield Buffer.alloc(1024);
  };
  return { diffId: digestOf(start!), size: size + 1536, createdBy: 'huge', chunks };
}

/** Makes an image of these layers on a base of one file. */
export function imageOf(layers: Layer[], options: Partial<ExtendOptions> = {}): Image {
  const base = extendImage(scratch, [packLayer([file('base', 'one')], { createdBy: 'the base' })], {
    created: '2020-01-01T00:00:00Z',
  });
  const image = extendImage(base, layers, { created, ...options });
  return { ...image, layers: [...base.layers, ...layers], baseDiffIds: [] };
}
