import { basename } from 'node:path';
import type { Progress } from '../../reporter/progress.ts';
import type { Assumption } from '../../spec/write/draft.ts';
import type { Catalog } from '../catalog/catalog.ts';
import type { ToolchainData } from '../catalog/catalog-schema.ts';
import { readChoices } from './choices.ts';
import { type DefaultTask, readDefaults } from './defaults.ts';
import { factName, findFact, readFact } from './facts.ts';
import { type Found, findVersion } from './find-version.ts';

/** Task as gbuild.yml has it: a command, or a mapping with more keys. */
type DraftTask = string | { run: string; needs?: string[]; env?: Record<string, string>; reports?: string[] };

/** Repository without a gbuild.yml, as a spec in the user's form. */
export interface Detection {
  name: string;
  /** Toolchain such as `node@^22`. */
  toolchain: string;
  tasks: Record<string, DraftTask>;
  image?: { entrypoint: string[] };
  assumptions: Assumption[];
  /** Other toolchains of the catalog that fit too. */
  others: string[];
  /** Examples of keys that the repository does not need. */
  examples: Record<string, unknown>;
}

/**
 * Detects the toolchain of a repository by its files. Several fitting toolchains are sorted: first those with something
 * to build, test or start, then by their data's order, then by name. `wanted` comes before them all. The others are
 * named in the result, except those that the chosen one replaces. Undefined where none fits.
 */
export function detectToolchain(rootDir: string, catalog: Catalog, wanted?: string): Detection | undefined {
  const fitting = listFitting(rootDir, catalog);
  const replaced = fitting.flatMap(({ detect }) => detect.insteadOf);
  const ranked = fitting
    .filter(({ name }) => !replaced.includes(name))
    .map((data) => ({ data, rank: [data.name === wanted ? 0 : 1, hasWork(rootDir, data) ? 0 : 1, data.detect.order] }))
    .sort((left, right) => compareRanks(left.rank, right.rank));
  const [first, ...others] = ranked.map(({ data }) => data);
  if (first === undefined) return undefined;
  return describe(
    rootDir,
    first,
    others.map(({ name }) => name),
  );
}

/** Lists the toolchains that fit a folder's files, by name. */
export function listFitting(rootDir: string, catalog: Catalog): ToolchainData[] {
  return catalog.names
    .flatMap((name) => catalog.find(name)?.data ?? [])
    .filter(({ detect }) => detect.any.some((fact) => readFact(rootDir, fact) !== undefined));
}

/** Describes a named toolchain of the catalog at the given range, even where the repository's files do not fit it. */
export function describeNamed(
  rootDir: string,
  catalog: Catalog,
  { name, range }: { name: string; range: string },
): Detection | undefined {
  const data = catalog.find(name)?.data;
  if (data === undefined) return undefined;
  return describe(rootDir, data, [], range === '*' ? undefined : { value: range, because: 'it was asked for' });
}

/** Describes a toolchain that is an image or a folder of the repository: only its name is known. */
export function describeOther(rootDir: string, toolchain: string): Detection {
  const name = folderName(rootDir);
  const assumptions = [
    { key: 'name', because: name.because },
    { key: 'toolchain', because: 'it was asked for' },
  ];
  return { name: name.value, toolchain, tasks: {}, assumptions, others: [], examples: {} };
}

function compareRanks(left: number[], right: number[]): number {
  return left.map((rank, index) => rank - right[index]!).find((difference) => difference !== 0) ?? 0;
}

/**
 * Whether a toolchain finds work in a repository: a file for developers alone (a Gemfile for one tool) does not count.
 */
function hasWork(rootDir: string, data: ToolchainData): boolean {
  try {
    const { tasks, entrypoint } = readDefaults(rootDir, data, readChoices(rootDir, data));
    return entrypoint !== undefined || Object.hasOwn(tasks, 'build') || Object.hasOwn(tasks, 'test');
  } catch {
    // The mistake is reported when this toolchain is chosen.
    return true;
  }
}

function describe(rootDir: string, data: ToolchainData, others: string[], asked?: Found): Detection {
  const chosen = readChoices(rootDir, data);
  const version = asked ??
    findVersion(rootDir, data, chosen) ?? {
      value: data.default,
      because: `no file says which ${data.title} is wanted`,
    };
  const name = detectName(rootDir, data);
  const { tasks, entrypoint } = readDefaults(rootDir, data, chosen);
  const assumptions: Assumption[] = [
    { key: 'name', because: name.because },
    { key: 'toolchain', because: version.because },
    ...Object.entries(tasks).map(([task, { because }]) => ({ key: `tasks.${task}`, because })),
    ...(entrypoint === undefined ? [] : [{ key: 'image.entrypoint', because: entrypoint.because }]),
  ];
  return {
    name: name.value,
    toolchain: `${data.name}@${version.value}`,
    tasks: Object.fromEntries(Object.entries(tasks).map(([task, rule]) => [task, draftTask(rule, Object.keys(tasks))])),
    ...(entrypoint === undefined ? {} : { image: { entrypoint: entrypoint.command } }),
    assumptions,
    others,
    examples: { ...exampleCaches(data), ...data.examples },
  };
}

function exampleCaches({ caches }: ToolchainData): Record<string, unknown> {
  const [cache] = caches;
  if (cache === undefined) return {};
  const { name, path, env } = cache;
  return { caches: [{ name, path, ...(Object.keys(env).length > 0 && { env }) }] };
}

function draftTask({ run, needs: all, env, reports }: DefaultTask, tasks: string[]): DraftTask {
  const needs = all.filter((need) => tasks.includes(need));
  const more = {
    ...(needs.length > 0 && { needs }),
    ...(Object.keys(env).length > 0 && { env }),
    ...(reports.length > 0 && { reports }),
  };
  return Object.keys(more).length === 0 ? run : { run, ...more };
}

/** Detects a name for the image: from the files, else from the folder. */
function detectName(rootDir: string, data: ToolchainData): Found {
  for (const fact of data.detect.name) {
    const found = findFact(rootDir, fact);
    const name = found === undefined ? '' : imageName(found.value);
    if (name !== '')
      return { value: name, because: `${factName({ ...fact, file: found!.file })} says ${found!.value}` };
  }
  return folderName(rootDir);
}

function folderName(rootDir: string): Found {
  const folder = basename(rootDir);
  return { value: imageName(folder) || 'app', because: `the folder is called ${folder}` };
}

/** Returns the nearest repository name of a text: lower case, with separators of the distribution grammar. */
function imageName(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, '-')
    .replace(/[._-]{2,}/g, (run) => (run === '__' ? run : '-'))
    .replace(/^[._-]+|[._-]+$/g, '');
}

/** Chooses a toolchain; asks a person, where one is present and several fit. */
export async function chooseToolchain(
  rootDir: string,
  catalog: Catalog,
  progress: Progress,
): Promise<Detection | undefined> {
  const detection = detectToolchain(rootDir, catalog);
  if (detection === undefined || detection.others.length === 0 || progress.choose === undefined) return detection;
  const names = [detection.toolchain.split('@')[0]!, ...detection.others];
  const wanted = await progress.choose('Several toolchains fit this repository. Which one builds it?', names);
  return { ...detectToolchain(rootDir, catalog, wanted)!, others: [] };
}
