import { basename } from 'node:path';
import type { Progress } from '../reporter/progress.ts';
import { type Found, findVersion } from './asked-version.ts';
import type { Catalog } from './catalog.ts';
import type { ToolchainData } from './catalog-schema.ts';
import { readDefaults } from './defaults.ts';
import { factName, readFact } from './facts.ts';

/** Why a key of a detected spec has its value, for the note that a run prints and the comments of `gbuild init`. */
export interface Assumption {
  key: string;
  because: string;
}

/** A repository without a gbuild.yml, as a spec in the user's form. */
export interface Detection {
  name: string;
  /** `node@^22`. */
  toolchain: string;
  tasks: Record<string, string | { run: string; needs: string[] }>;
  image?: { entrypoint: string[] };
  assumptions: Assumption[];
  /** Other toolchains of the catalog that would fit too. */
  others: string[];
}

/**
 * Finds out what a repository is by its files. Several fitting toolchains: the one whose data says the lowest order, then the
 * first by name, is taken and the others are named, but not those instead of which it stands; `wanted` is taken before them.
 * Undefined where none fits.
 */
export function detectToolchain(rootDir: string, catalog: Catalog, wanted?: string): Detection | undefined {
  const rank = ({ name, detect }: ToolchainData) => (name === wanted ? Number.NEGATIVE_INFINITY : detect.order);
  const fitting = catalog.names
    .flatMap((name) => catalog.find(name)?.data ?? [])
    .filter(({ detect }) => detect.any.some((fact) => readFact(rootDir, fact) !== undefined));
  const replaced = fitting.flatMap(({ detect }) => detect.insteadOf);
  const [first, ...others] = fitting
    .filter(({ name }) => !replaced.includes(name))
    .sort((left, right) => rank(left) - rank(right));
  if (first === undefined) return undefined;
  return describe(
    rootDir,
    first,
    others.map(({ name }) => name),
  );
}

function describe(rootDir: string, data: ToolchainData, others: string[]): Detection {
  const version = findVersion(rootDir, data) ?? {
    value: data.default,
    because: `no file says which ${data.title} is wanted`,
  };
  const name = detectName(rootDir, data);
  const { tasks, entrypoint } = readDefaults(rootDir, data);
  const assumptions: Assumption[] = [
    { key: 'name', because: name.because },
    { key: 'toolchain', because: version.because },
    ...Object.entries(tasks).map(([task, { because }]) => ({ key: `tasks.${task}`, because })),
    ...(entrypoint === undefined ? [] : [{ key: 'image.entrypoint', because: entrypoint.because }]),
  ];
  return {
    name: name.value,
    toolchain: `${data.name}@${version.value}`,
    tasks: Object.fromEntries(
      Object.entries(tasks).map(([task, { run, needs: all }]) => {
        const needs = all.filter((need) => Object.hasOwn(tasks, need));
        return [task, needs.length === 0 ? run : { run, needs }];
      }),
    ),
    ...(entrypoint === undefined ? {} : { image: { entrypoint: entrypoint.command } }),
    assumptions,
    others,
  };
}

/** A name that an image may have: from the files, else from the folder. */
function detectName(rootDir: string, data: ToolchainData): Found {
  for (const fact of data.detect.name) {
    const text = readFact(rootDir, fact);
    const name = text === undefined ? '' : imageName(text);
    if (name !== '') return { value: name, because: `${factName(fact)} says ${text}` };
  }
  const folder = basename(rootDir);
  return { value: imageName(folder) || 'app', because: `the folder is called ${folder}` };
}

/** The nearest repository name to a text: lower case, separators as the distribution grammar has them. */
function imageName(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, '-')
    .replace(/[._-]{2,}/g, (run) => (run === '__' ? run : '-'))
    .replace(/^[._-]+|[._-]+$/g, '');
}

/** The same, asking a person where there is one and several fit. */
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
