import { existsSync } from 'node:fs';
import { join, posix } from 'node:path';
import { GbuildError } from '../errors.ts';
import type { Host } from '../host.ts';
import type { Entry } from '../oci/entry.ts';
import { type Layer, packLayer } from '../oci/layer.ts';
import type { PlannedLayer } from '../plan/image-plan.ts';
import { splitEntries } from '../plan/split.ts';
import { mayHoldCredentials } from '../workspace/credentials.ts';
import { readProductionPaths } from '../workspace/npm.ts';
import { readTrackedFiles } from '../workspace/tracked.ts';
import { walkFiles } from '../workspace/walk.ts';

/** What one rule puts into an image, by the places it has there. */
export interface CollectedRule {
  name: string;
  entries: Entry[];
  /** One layer, however large. */
  whole: boolean;
}

/** Walks what each rule names, in layer order. */
export async function collectRules(rootDir: string, rules: PlannedLayer[], env: Host['env']): Promise<CollectedRule[]> {
  const collected: CollectedRule[] = [];
  for (const rule of rules) {
    const { name, whole } = rule;
    collected.push({ name, whole, entries: await collectEntries(rootDir, rule, env) });
  }
  return collected;
}

/** Cuts large groups and packs them: the application's layers, bottom first. */
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

/** Both, for whoever wants the layers alone. */
export async function collectLayers(rootDir: string, rules: PlannedLayer[], env: Host['env']): Promise<Layer[]> {
  return packRules(await collectRules(rootDir, rules, env));
}

async function collectEntries(rootDir: string, rule: PlannedLayer, env: Host['env']): Promise<Entry[]> {
  const from = rule.from.filter((path) => isThere(rootDir, path, rule));
  if (from.length === 0) return [];
  const selects = await readSelection(rootDir, rule, env);
  const keep = (path: string): boolean =>
    selects?.(path) !== false && (!mayHoldCredentials(path) || rule.credentials.includes(path));
  const entries = walkFiles(rootDir, {
    from: from.map((path) => path.replace(/\/+$/, '')),
    ...(rule.include.length > 0 && { include: rule.include }),
    exclude: rule.exclude,
    keep,
  });
  if (!entries.some((entry) => entry.type !== 'directory') && !rule.optional) throw nothingIn(rule, rootDir);
  return entries.map((entry) => ({ ...entry, path: placeIn(entry.path, from, rule.to) }));
}

function isThere(rootDir: string, path: string, rule: PlannedLayer): boolean {
  if (existsSync(join(rootDir, path))) return true;
  if (rule.optional) return false;
  throw new GbuildError('output-missing', `layer "${rule.name}" wants ${path}, which is not in ${rootDir}`, {
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

async function readSelection(
  rootDir: string,
  rule: PlannedLayer,
  env: Host['env'],
): Promise<((path: string) => boolean) | undefined> {
  if (rule.select === 'npm-production') return readProductionPaths(rootDir);
  if (rule.select !== 'tracked') return undefined;
  const tracked = await readTrackedFiles(rootDir, env);
  if (tracked === undefined) return undefined;
  const known = new Set<string>();
  for (const file of tracked) {
    for (let path = file; path !== '.' && !known.has(path); path = posix.dirname(path)) known.add(path);
  }
  return (path) => known.has(path);
}

/** A path keeps its place in the workspace below `to`; the contents of a `from` that ends in "/" go directly there. */
function placeIn(path: string, from: string[], to: string): string {
  const emptied = from.find((each) => each.endsWith('/') && `${path}/`.startsWith(each));
  const kept = emptied === undefined ? path : path.slice(emptied.length);
  return posix.join(to, kept).replace(/^\/+/, '');
}

/** Packing is synchronous work: between layers the screen and signals get their turn. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
