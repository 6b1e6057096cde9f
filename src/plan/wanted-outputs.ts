import picomatch from 'picomatch';
import type { Spec } from '../spec/types.ts';
import type { LayerRule } from '../toolchain/catalog-schema.ts';
import type { ToolchainDefaults } from '../toolchain/defaults.ts';
import { chooseBuildTask, layersOf } from './image-plan.ts';

export interface WantedInput {
  spec: Spec;
  defaults: ToolchainDefaults;
  /** Names of the tasks that exist. */
  tasks: string[];
  /** Of the run. */
  ran: readonly { name: string; reports: string[] }[];
}

/**
 * What comes back from an engine elsewhere of that which git ignores: reports of the tasks that ran, where one of them builds
 * what the image packs, and what the spec keeps in step. Pure.
 */
export function planWanted({ spec, defaults, tasks, ran }: WantedInput): (path: string) => boolean {
  const build = chooseBuildTask({ spec, defaults, tasks });
  const builds = ran.some(({ name }) => name === build || name === 'build');
  const outputs = builds ? layersOf({ spec, defaults }).filter(({ select }) => select !== 'tracked') : [];
  const globs = [...ran.flatMap(({ reports }) => reports), ...spec.sync.include];
  const tests = [...outputs.map(testOf), matchGlobs(globs)];
  return (path) => tests.some((test) => test(path));
}

/** Whether a path of the workspace is one that the globs name, or in a folder that they name. */
export function matchGlobs(globs: readonly string[]): (path: string) => boolean {
  if (globs.length === 0) return () => false;
  return withFolders(matcherOf(globs.map((glob) => glob.replace(/^\.\//, ''))));
}

function testOf({ from, include, exclude }: LayerRule): (path: string) => boolean {
  const places = from.map((path) => path.split('/').filter((part) => part !== '' && part !== '.'));
  const isIn = places.map((parts) => parts.join('/'));
  const isIncluded = include.length === 0 ? () => true : matcherOf(include);
  const isExcluded = exclude.length === 0 ? () => false : withFolders(matcherOf(exclude));
  return (path) =>
    isIn.some((place) => place === '' || path === place || path.startsWith(`${place}/`)) &&
    isIncluded(path) &&
    !isExcluded(path);
}

function matcherOf(globs: readonly string[]): (path: string) => boolean {
  return picomatch([...globs], { dot: true });
}

/** A glob that names a folder means all that is in it. Asked of a folder's many paths once. */
function withFolders(test: (path: string) => boolean): (path: string) => boolean {
  const known = new Map<string, boolean>([['', false]]);
  const isIn = (folder: string): boolean => {
    const before = known.get(folder);
    if (before !== undefined) return before;
    const found = isIn(above(folder)) || test(folder);
    known.set(folder, found);
    return found;
  };
  return (path) => isIn(above(path)) || test(path);
}

function above(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')));
}
