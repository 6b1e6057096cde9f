import { resolve } from 'node:path';
import { diskError, GbuildError, messageOf } from '../../errors.ts';
import { quoteWord } from '../../escape.ts';
import { isFreeFolder, makeFolderWhole } from '../../fs/new-folder.ts';
import {
  type ExtractReport,
  formatExtract,
  listDeviations,
  listRemarks,
} from '../../inspect/extract/format-extract.ts';
import { planExtract } from '../../inspect/extract/plan-extract.ts';
import { type PlacedFile, readImageTree } from '../../inspect/image-tree.ts';
import { formatBytes } from '../../reporter/format.ts';
import { ImageFiles, isLostFile } from '../../start/image-files.ts';
import { withImage } from './open-image.ts';
import type { OpenImageRequest } from './open-image-request.ts';
import { checkLayers } from './read-layers.ts';
import { readOrFindDamage } from './read-whole.ts';
import { unpackTree } from './unpack-tree.ts';

export interface ExtractRequest extends OpenImageRequest {
  /** Name as withImage takes it. */
  name: string;
  /** Destination: a missing or empty folder. */
  dir: string;
  /** Path of the image to write; undefined for the whole image. */
  path: string | undefined;
}

/**
 * Implements `gbuild inspect --extract`: opens the image, puts its layers together, and writes what a container sees.
 * The folder appears complete or not at all.
 */
export async function extractImage(request: ExtractRequest): Promise<{ text: string; data: ExtractReport }> {
  const { host, progress, stop, name } = request;
  const dir = resolve(host.cwd, request.dir);
  assertFree(dir, request);
  return withImage(name, request, async ({ reference, origin, image }) => {
    const tree = await readOrFindDamage(image, () => readImageTree(image));
    const path = request.path === undefined ? undefined : findPath(request.path, tree, request);
    const plan = planExtract(tree, path);
    // The layers are checked here, because contents are read in place without a check.
    await checkLayers(image);
    const isRoot = host.uid === 0;
    await progress.step(`extracting ${reference}`, (step) =>
      writeFolder(dir, (folder) =>
        unpackTree(plan, folder, { isRoot, stop, onWritten: (bytes) => step.update(formatBytes(bytes)) }),
      ),
    );
    const { files, folders, links, skipped, withoutPrivileges, relativeLinks, bytes } = plan;
    const data: ExtractReport = {
      ...{ reference, origin, imageId: image.id, dir },
      ...(path !== undefined && path !== '' && { path }),
      ...{ files: files.length, folders: folders.length, links: links.length, bytes },
      ...{ skipped, withoutPrivileges, relativeLinks, ownersKept: isRoot },
    };
    for (const text of listDeviations(data)) progress.warn(text);
    for (const text of listRemarks(data)) progress.note(text);
    return { text: formatExtract(data), data };
  });
}

function assertFree(dir: string, { name, path }: ExtractRequest): void {
  let isFree: boolean;
  try {
    isFree = isFreeFolder(dir);
  } catch (cause) {
    throw cannotWrite(dir, cause);
  }
  if (isFree) return;
  const ofPath = path === undefined ? '' : ` --path ${quoteWord(path)}`;
  throw new GbuildError(
    'output-refused',
    `${JSON.stringify(dir)} exists and is not an empty folder; nothing was written`,
    {
      suggestions: [`gbuild inspect ${quoteWord(name)} --extract ${quoteWord(findFree(dir))}${ofPath}`],
      facts: { hostDir: dir },
    },
  );
}

function findFree(dir: string): string {
  for (let number = 2; ; number += 1) if (isFreeFolder(`${dir}-${number}`)) return `${dir}-${number}`;
}

/**
 * Resolves links in the path's folders; the last name may be a link. Throws `usage` for a path that the image lacks.
 */
function findPath(asked: string, tree: ReadonlyMap<string, PlacedFile>, { name }: ExtractRequest): string {
  const names = asked.split('/').filter((each) => each !== '' && each !== '.');
  const last = names.at(-1);
  if (last === undefined) return '';
  const files = new ImageFiles(tree, new Map());
  const found = files.find(`/${(last === '..' ? names : names.slice(0, -1)).join('/')}`);
  const path = isLostFile(found)
    ? undefined
    : last === '..'
      ? found.path.slice(1)
      : `${found.path}/${last}`.replace(/^\/+/, '');
  if (path !== undefined && (path === '' || tree.has(path) || hasBelow(tree, path))) return path;
  const missing = isLostFile(found) ? found.path : `/${path}`;
  throw new GbuildError('usage', `the image ${name} has no ${asked}: it has no ${missing}`, {
    suggestions: [`gbuild inspect ${quoteWord(name)} --files`],
    facts: { reference: name, path: asked, missing },
  });
}

/** Whether the path is a folder without its own entry in any layer. */
function hasBelow(tree: ReadonlyMap<string, PlacedFile>, folder: string): boolean {
  return [...tree.keys()].some((path) => path.startsWith(`${folder}/`));
}

async function writeFolder(dir: string, write: (folder: string) => Promise<void>): Promise<void> {
  try {
    await makeFolderWhole(dir, write);
  } catch (cause) {
    // An error without a code is no failure of the system, but a bug of gbuild.
    if (cause instanceof GbuildError || (cause as NodeJS.ErrnoException).code === undefined) throw cause;
    throw diskError(cause, dir) ?? cannotWrite(dir, cause);
  }
}

function cannotWrite(dir: string, cause: unknown): GbuildError {
  return new GbuildError('output-refused', `${JSON.stringify(dir)} cannot be written: ${messageOf(cause)}`, {
    cause,
    suggestions: ['name a place that you may write to, with enough room'],
    facts: { hostDir: dir },
  });
}
