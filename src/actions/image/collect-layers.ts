import { existsSync, readdirSync } from 'node:fs';
import { join, posix } from 'node:path';
import { GbuildError } from '../../errors.ts';
import { largestDocument, readTextIfAny } from '../../fs/read-bounded.ts';
import type { Host } from '../../host.ts';
import { type Layer, packLayer } from '../../oci/layer/layer.ts';
import type { Entry } from '../../oci/tar/entry.ts';
import type { PlannedLayer } from '../../plan/image-plan.ts';
import { matchFolders } from '../../plan/match-globs.ts';
import { splitEntries } from '../../plan/split.ts';
import { readCheckoutParts } from '../../workspace/checkout-parts.ts';
import { mayHoldCredentials } from '../../workspace/credentials.ts';
import type { KeepPath } from '../../workspace/node/npm.ts';
import { walkFiles } from '../../workspace/walk.ts';
import { TaskTimes } from '../run/task-times.ts';

/** Files that one rule puts into an image, by their paths in the image. */
export interface CollectedRule {
  name: string;
  entries: Entry[];
  /** Whether the files form one layer, however large. */
  whole: boolean;
}

export interface CollectInput {
  rootDir: string;
  rules: PlannedLayer[];
  host: Pick<Host, 'env' | 'cacheDir'>;
  /** Whether only tasks have written to the checkout, as for a release. */
  isUntouched?: boolean;
}

/** Collects the files that each rule names, in layer order. */
export async function collectRules(input: CollectInput): Promise<CollectedRule[]> {
  const isTaken = await readSelections(input);
  return input.rules.map((rule) => ({
    name: rule.name,
    whole: rule.whole,
    entries: collectEntries(input.rootDir, rule, isTaken[rule.select]),
  }));
}

/** Splits large groups and packs them. Returns the application's layers, bottom first. */
export async function packRules(collected: CollectedRule[]): Promise<Layer[]> {
  const layers: Layer[] = [];
  for (const { name, whole, entries } of collected) {
    const groups = whole && entries.length > 0 ? [entries] : splitEntries(entries);
    for (const [index, group] of groups.entries()) {
      const part = groups.length > 1 ? ` ${index + 1}/${groups.length}` : '';
      layers.push(packLayer(group, { createdBy: `gbuild layer: ${name}${part}` }));
      await nextTurn();
    }
  }
  return layers;
}

/** Returns the files that the image shows. The highest layer wins for a path in several layers. */
export function flattenRules(collected: CollectedRule[]): Map<string, Entry> {
  const entries = new Map<string, Entry>();
  for (const rule of collected) for (const entry of rule.entries) entries.set(entry.path, entry);
  return entries;
}

type Selections = Record<PlannedLayer['select'], (rule: PlannedLayer) => Selection>;

interface Selection {
  keep: KeepPath;
  /** Folders that match stay even when they are empty. */
  keepsEmpty: KeepPath;
}

/** Asks git and reads the package manager's files only where a rule needs it. */
async function readSelections({ rootDir, rules, host, isUntouched }: CollectInput): Promise<Selections> {
  const always = { keep: () => true, keepsEmpty: () => true };
  const selections = { all: () => always, production: () => always, tracked: () => always, made: () => always };
  if (rules.every(({ select }) => select === 'all')) return selections;
  const parts = await readCheckoutParts(rootDir, host.env);
  const wasMade = isUntouched === true ? () => true : new TaskTimes(host, rootDir).finder();
  const isMade = (path: string) => wasMade(join(rootDir, path));
  return {
    ...selections,
    production: () => ({ keep: parts.isDependency, keepsEmpty: parts.isModule }),
    tracked: () => ({ keep: parts.isSource, keepsEmpty: () => false }),
    made: ({ outputs }) => {
      const isOutput = matchFolders(outputs);
      const isOurs = (path: string) => isOutput(path) || isMade(path);
      return {
        keep: (path, isFolder) =>
          !parts.isModule(path) && (isFolder === true || (parts.isIgnored(path) && isOurs(path))),
        keepsEmpty: (path) => isOurs(path) && readdirSync(join(rootDir, path)).length === 0,
      };
    },
  };
}

function collectEntries(rootDir: string, rule: PlannedLayer, select: (rule: PlannedLayer) => Selection): Entry[] {
  const from = rule.from.filter((path) => isThere(rootDir, path, rule));
  if (from.length === 0) return [];
  const { keep, keepsEmpty } = select(rule);
  const isListed = rule.listedIn === undefined ? () => true : readList(join(rootDir, rule.listedIn));
  const walked = walkFiles(rootDir, {
    from: from.map((path) => path.replace(/\/+$/, '')),
    ...(rule.include.length > 0 && { include: rule.include }),
    exclude: rule.exclude,
    keep: (path, isFolder) =>
      keep(path, isFolder) && isListed(path) && (!mayHoldCredentials(path) || rule.credentials.includes(path)),
  });
  const entries = dropEmptied(walked, keepsEmpty);
  if (!entries.some((entry) => entry.type !== 'directory') && !rule.optional) throw nothingIn(rule, rootDir);
  return entries.map((entry) => ({ ...entry, path: placeIn(entry.path, from, rule.to) }));
}

/** Matches the paths that a file lists, everything in them, and the folders above. */
function readList(hostFile: string): KeepPath {
  const lines = (readTextIfAny(hostFile, largestDocument) ?? '').split('\n');
  const listed = new Set(lines.filter((line) => line !== ''));
  const above = new Set<string>();
  for (const path of listed) for (let at = posix.dirname(path); at !== '.'; at = posix.dirname(at)) above.add(at);
  const isIn = (path: string): boolean => path !== '.' && (listed.has(path) || isIn(posix.dirname(path)));
  return (path) => above.has(path) || isIn(path);
}

/** Drops folders that hold no kept file: git has no empty folders, so a clone lacks them. */
function dropEmptied(entries: Entry[], keepsEmpty: KeepPath): Entry[] {
  const full = new Set<string>();
  for (const { path, type } of entries) {
    if (type === 'directory' && !keepsEmpty(path, true)) continue;
    for (let at = path; at !== '.' && !full.has(at); at = posix.dirname(at)) full.add(at);
  }
  return entries.filter(({ path }) => full.has(path));
}

function isThere(rootDir: string, path: string, rule: PlannedLayer): boolean {
  if (existsSync(join(rootDir, path))) return true;
  if (rule.optional) return false;
  throw new GbuildError('output-missing', `layer "${rule.name}" names ${path}, which is not in ${rootDir}`, {
    suggestions: ['gbuild build', `correct image.layers in gbuild.yml if ${path} is not what the build makes`],
    facts: { layer: rule.name, path, rootDir },
  });
}

function nothingIn(rule: PlannedLayer, rootDir: string): GbuildError {
  return new GbuildError(
    'output-missing',
    `layer "${rule.name}" holds no file: nothing in ${rule.from.join(', ')} of ${rootDir} is both included and not excluded`,
    { suggestions: ['gbuild build', 'correct image.layers in gbuild.yml'], facts: { layer: rule.name, rootDir } },
  );
}

/**
 * Returns the path in the image. A path keeps its place in the workspace below `to`; the contents of a `from` that ends
 * in "/" go directly into `to`.
 */
function placeIn(path: string, from: string[], to: string): string {
  const emptied = from.find((each) => each.endsWith('/') && `${path}/`.startsWith(each));
  const kept = emptied === undefined ? path : path.slice(emptied.length);
  return posix.join(to, kept).replace(/^\/+/, '');
}

/** Yields to the event loop: packing is synchronous, and progress and signals need a turn between layers. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
