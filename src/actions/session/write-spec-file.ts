import { existsSync, linkSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { GbuildError } from '../../errors.ts';
import { readWhole } from '../../fs/read-bounded.ts';
import { makeMark } from '../../fs/writer-mark.ts';
import { readSpec, specFileName } from '../../spec/read/read-spec.ts';
import type { ToolchainRequest } from '../../spec/types.ts';
import { notWritten } from '../../spec/write/atomic-write.ts';
import type { Assumption } from '../../spec/write/draft.ts';
import { writeInitialSpec } from '../../spec/write/init.ts';
import { migrateSpec, writeSpec } from '../../spec/write/migrate.ts';
import type { Catalog } from '../../toolchain/catalog/catalog.ts';
import { chooseToolchain, type Detection, describeNamed, describeOther } from '../../toolchain/detect/detect.ts';
import { resolveToolchain } from '../../toolchain/resolve/resolve.ts';
import { findRoot } from '../../workspace/root.ts';
import { openCatalog } from './catalogs.ts';
import type { AppContext } from './context.ts';
import { nothingDetected } from './nothing-detected.ts';
import { knownTasks } from './open-repository.ts';

/**
 * Implements `gbuild init`: writes what the files of the caller's folder tell into a spec with comments; never over an
 * existing file. With a `wanted` toolchain, only what the files tell about that one.
 */
export async function initSpec(
  context: AppContext,
  wanted?: ToolchainRequest,
): Promise<{ file: string; assumptions: Assumption[]; others: string[] }> {
  const root = findRoot(context.host.cwd, context.host.homeDir);
  const rootDir = context.host.cwd;
  const catalog = await openCatalog(context);
  const file = join(rootDir, specFileName);
  if (existsSync(file)) throw isThere(file);
  const detection =
    wanted === undefined
      ? await chooseToolchain(rootDir, catalog, context.progress)
      : describeWanted(rootDir, catalog, wanted);
  if (detection === undefined) throw nothingDetected(root.folders ?? [rootDir], catalog, 'init');
  createFile(file, writeInitialSpec(detection));
  return { file, assumptions: detection.assumptions, others: detection.others };
}

/**
 * Describes the wanted toolchain. An image or a folder provides no tasks; a catalog's toolchain must exist at that
 * version.
 */
function describeWanted(rootDir: string, catalog: Catalog, wanted: ToolchainRequest): Detection {
  if (wanted.kind !== 'catalog') return describeOther(rootDir, wanted.request);
  if (wanted.range !== '*' || catalog.find(wanted.name) === undefined) resolveToolchain(wanted, catalog);
  return describeNamed(rootDir, catalog, wanted)!;
}

/** Creates a file: written to a temporary and linked into place, so that it is complete and replaces no other file. */
function createFile(file: string, text: string): void {
  const temporary = `${file}.tmp-${makeMark()}`;
  try {
    writeFileSync(temporary, text, { flag: 'wx', flush: true });
    linkSync(temporary, file);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'EEXIST') throw isThere(file);
    throw notWritten(file, cause);
  } finally {
    rmSync(temporary, { force: true });
  }
}

function isThere(file: string): GbuildError {
  return new GbuildError('usage', `${file} exists already and was not changed`, {
    suggestions: ['gbuild plan', `mv ${file} ${file}.old && gbuild init`],
  });
}

export interface MigrationResult {
  file: string;
  from: number;
  to: number;
  changed: boolean;
  steps: string[];
}

/** Implements `gbuild migrate`. */
export async function migrateFile(context: AppContext): Promise<MigrationResult> {
  const { rootDir, specFile } = findRoot(context.host.cwd, context.host.homeDir);
  const file = specFile ?? join(rootDir, specFileName);
  const known = knownTasks(await openCatalog(context, { rootDir, specFile }));
  readSpec(file, undefined, known);
  const { text, ...result } = migrateSpec(readWhole(file), specFileName, undefined, known);
  if (result.changed) writeSpec(file, text);
  return { file, ...result };
}
