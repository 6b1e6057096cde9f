import { GbuildError } from '../../errors.ts';
import { escapeLine } from '../../escape.ts';
import type { Host } from '../../host.ts';
import { type PlacedFile, readImageTree } from '../../inspect/image-tree.ts';
import { mergeRunConfig } from '../../oci/image/run-config.ts';
import type { Layer } from '../../oci/layer/layer.ts';
import { findLayer } from '../../oci/layout/copy.ts';
import type { Layout } from '../../oci/layout/layout.ts';
import { nameOfPlatform } from '../../oci/platform.ts';
import type { ImageConfig, RunConfig } from '../../oci/spec.ts';
import type { Entry } from '../../oci/tar/entry.ts';
import { findStartFaults } from '../../start/find-faults.ts';
import { ImageFiles } from '../../start/image-files.ts';
import { readImageStart } from '../../start/image-start.ts';
import type { StartFault } from '../../start/start-fault.ts';
import { readBaseTree } from './base/base-tree.ts';
import type { KnownBase } from './base/read-base.ts';

/** Plan of an image, checked before any byte of it is packed. */
export interface StartInput {
  reference: string;
  /** Config of the image, before it is merged with the base's config. */
  config: Partial<RunConfig>;
  /** Files of the application's layers, by path. */
  entries: ReadonlyMap<string, Entry>;
  /** One base for each platform. */
  bases: readonly KnownBase[];
  store: Layout;
  host: Pick<Host, 'cacheDir'>;
  /** Explains where in the workspace a missing file lies, and why the image does not hold it. */
  explain: (fault: StartFault) => Explanation | Promise<Explanation>;
}

export interface Explanation {
  /** Clauses about the workspace, for the message. */
  because: string[];
  /** Commands to type or lines to write next. */
  remedies: string[];
  /** Whether a task may still make the file. */
  isToCome?: boolean;
}

/** Throws `output-missing` for an image that cannot start: its program, interpreter, a library or a script is not in it. */
export async function assertStarts(input: StartInput): Promise<void> {
  const { reference, bases } = input;
  for (const base of bases) {
    const faults = await findFaults(base, input);
    if (faults.length === 0 || !(await isWhole(base, input.store))) continue;
    const platform = bases.length > 1 ? ` for ${nameOfPlatform(base.config)}` : '';
    throw await cannotStart(`${reference}${platform}`, faults, input);
  }
}

async function findFaults(base: KnownBase, { entries, config, store, host }: StartInput): Promise<StartFault[]> {
  const tree = await readTree(base, store, host);
  if (tree === undefined) return [];
  const merged = { ...base.config, config: mergeRunConfig(base.config.config, config) };
  return findStartFaults(new ImageFiles(tree, entries), readImageStart(merged));
}

/** A damaged store is reported where its layers are needed; here the tree is then unknown. */
async function readTree(
  base: KnownBase,
  store: Layout,
  host: StartInput['host'],
): Promise<ReadonlyMap<string, PlacedFile> | undefined> {
  try {
    return await readBaseTree(base, store, host);
  } catch (thrown) {
    if (thrown instanceof GbuildError && thrown.code === 'store-failed') return undefined;
    throw thrown;
  }
}

/** Only bytes that match their digest may refuse an image. */
async function isWhole({ config }: KnownBase, store: Layout): Promise<boolean> {
  for (const diffId of config.rootfs.diff_ids) if (!(await store.isWhole(diffId))) return false;
  return true;
}

/** Asserts the same for the layers of a release on another base. The workspace plays no part here. */
export async function assertLayersStart(
  { reference, base, layers, config }: { reference: string; base: string; layers: Layer[]; config: ImageConfig },
  found: KnownBase,
  store: Layout,
): Promise<void> {
  const below = found.config.rootfs.diff_ids.map((diffId) => findLayer(store, diffId));
  const all = [...below, ...layers].filter((layer) => layer?.hostFile !== undefined) as Layer[];
  if (all.length < below.length + layers.length || !(await isWhole(found, store))) return;
  const files = new ImageFiles(await readImageTree({ layers: all }), new Map());
  const faults = findStartFaults(files, readImageStart(config));
  if (faults.length === 0) return;
  const remedies = [`--base REFERENCE   # one that has what ${base} lacks`];
  throw await cannotStart(`${reference} on ${base}`, faults, { explain: () => ({ because: [], remedies }) });
}

async function cannotStart(
  name: string,
  faults: StartFault[],
  { explain }: Pick<StartInput, 'explain'>,
): Promise<GbuildError> {
  const explained = await Promise.all(faults.map(explain));
  const lines = faults.flatMap(({ what }, at) => [
    `  ${escapeLine(what)}`,
    ...explained[at]!.because.map((clause) => `    ${escapeLine(clause)}`),
  ]);
  return new GbuildError('output-missing', [`${name} could not start:`, ...lines].join('\n'), {
    suggestions: [...new Set(explained.flatMap(({ remedies }) => remedies))],
    facts: { faults },
  });
}
