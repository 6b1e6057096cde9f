import type { Spec } from '../spec/types.ts';
import type { LayerRule } from '../toolchain/catalog/rule-schema.ts';
import type { ToolchainDefaults } from '../toolchain/detect/defaults.ts';
import { chooseBuildTask, layersOf } from './image-plan.ts';
import { matcherOf, matchGlobs, withFolders } from './match-globs.ts';

export interface WantedInput {
  spec: Spec;
  defaults: ToolchainDefaults;
  /** Names of the tasks that exist. */
  tasks: string[];
  /** Tasks that ran. */
  ran: readonly { name: string; reports: string[] }[];
}

/**
 * Plans which ignored paths come back from an engine with a copy. Pure. Three kinds do: reports of the tasks that ran,
 * packed outputs where one of the tasks builds them, and paths that the spec keeps in sync.
 */
export function planWanted({ spec, defaults, tasks, ran }: WantedInput): (path: string) => boolean {
  const build = chooseBuildTask({ spec, defaults, tasks });
  const builds = ran.some(({ name }) => name === build || name === 'build');
  const outputs = builds ? layersOf({ spec, defaults }).filter(({ select }) => select !== 'tracked') : [];
  const globs = [...ran.flatMap(({ reports }) => reports), ...spec.sync.include];
  const tests = [...outputs.map(testOf), matchGlobs(globs)];
  return (path) => tests.some((test) => test(path));
}

function testOf({ from, include, exclude, select }: LayerRule): (path: string) => boolean {
  const places = from.map((path) => path.split('/').filter((part) => part !== '' && part !== '.'));
  const isIn = places.map((parts) => parts.join('/'));
  const isIncluded = include.length === 0 ? () => true : matcherOf(include);
  const isExcluded = exclude.length === 0 ? () => false : withFolders(matcherOf(exclude));
  const isChosen = select === 'production' ? (path: string) => /(?:^|\/)node_modules(?:\/|$)/.test(path) : () => true;
  return (path) =>
    isChosen(path) &&
    isIn.some((place) => place === '' || path === place || path.startsWith(`${place}/`)) &&
    isIncluded(path) &&
    !isExcluded(path);
}
