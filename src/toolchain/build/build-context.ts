import { constantTime } from '../../oci/layer/layer.ts';
import { type TarItem, writeTar } from '../../oci/tar/tar.ts';
import type { RecipeFile } from '../catalog/catalog.ts';
import { findLoopbackProxies } from '../host/loopback.ts';
import { type HostTrust, trustBundle, trustKeystore } from '../host/trust.ts';
import type { AptSetup } from './apt-setup.ts';

/** File of a build context: bytes in memory, or a file of the host. */
export type ContextFile =
  | { path: string; executable: boolean; bytes: Uint8Array }
  | { path: string; executable: false; hostFile: string; size: number }
  | { path: string; linkTarget: string };

/** Writes the tar of a build context; equal files make equal bytes, so that a builder's cache stays valid. */
export function contextChunks(files: ContextFile[]): Generator<Buffer> {
  return writeTar(files.map(contextItem));
}

function contextItem(file: ContextFile): TarItem {
  const common = { path: file.path, uid: 0, gid: 0, mtime: constantTime };
  if ('linkTarget' in file) {
    return { header: { ...common, type: 'symlink', mode: 0o777, size: 0, linkTarget: file.linkTarget } };
  }
  const size = 'bytes' in file ? file.bytes.length : file.size;
  const content = 'bytes' in file ? { bytes: file.bytes, size } : { hostFile: file.hostFile, size };
  return { header: { ...common, type: 'file', mode: file.executable ? 0o755 : 0o644, size }, content };
}

export function recipeContext(files: RecipeFile[]): ContextFile[] {
  return files.map(({ path, executable, bytes, isLink }) =>
    isLink ? { path, linkTarget: bytes.toString() } : { path, executable, bytes },
  );
}

/** Parts of this host that a build may use and must not keep. */
export interface HostContext {
  trust: HostTrust;
  apt: AptSetup;
  /** Checksums that the catalog pins. */
  pins: Readonly<Record<string, string>>;
  /** Configuration of the caller's tools, by path below the home folder. */
  files: { path: string; bytes: Buffer }[];
}

/**
 * Lists the files of `gbuild/` in a context, which RUN steps bind at /run/gbuild. It holds the helpers of images/base
 * and this host's CA roots, Debian mirrors and tool settings. It is bound, not copied, so that none of it reaches a
 * layer.
 */
export function helperContext(helpers: RecipeFile[], host: HostContext): ContextFile[] {
  const { trust, apt, pins, files } = host;
  const text = (path: string, content: string | Buffer): ContextFile => ({
    path: `gbuild/${path}`,
    executable: false,
    bytes: Buffer.from(content),
  });
  const lines = (all: string[]) => all.map((line) => `${line}\n`).join('');
  return [
    ...helpers
      .filter(({ path }) => path.startsWith('helpers/'))
      .map(({ path, bytes }) => ({ path: path.replace('helpers/', 'gbuild/'), executable: true, bytes })),
    text('trust.pem', trust.extraRoots === '' ? '' : trustBundle(trust)),
    text('trust.jks', trust.extraRoots === '' ? '' : trustKeystore(trust)),
    text('integrity', lines(Object.entries(pins).map(([name, integrity]) => `${name} ${integrity}`))),
    ...files.map(({ path, bytes }) => text(`home/${path}`, bytes)),
    text('sources.list', lines(apt.sources)),
    text('apt.conf', lines(apt.options)),
  ];
}

/**
 * Chooses the network of RUN steps: the host's own where a proxy or a mirror is at its loopback address, which no
 * bridge reaches. Undefined for the builder's default.
 */
export function buildNetwork(trust: HostTrust, apt: AptSetup): 'host' | undefined {
  if (findLoopbackProxies(trust.proxies).length > 0) return 'host';
  const places = [...apt.sources, ...apt.options];
  const loopback = /\/\/(?:[^/@\s]*@)?(?:localhost|127(?:\.\d+){3}|\[::1\])(?=[:/\s"]|$)/;
  return places.some((place) => loopback.test(place)) ? 'host' : undefined;
}
