import type { EntrypointRule, Fact, LayerRule, TaskRule } from './catalog-schema.ts';
import { type Chosen, conditionsHold, readFact } from './facts.ts';
import { readStart } from './start.ts';

/** A task that a repository gets without saying so. */
export interface DefaultTask {
  run: string;
  /** Tasks to run first, as far as the repository has them. */
  needs: string[];
  env: Record<string, string>;
  reports: string[];
  because: string;
}

/** What a toolchain proposes for one repository; the spec's own words win over it. */
export interface ToolchainDefaults {
  tasks: Record<string, DefaultTask>;
  /** In layer order; `when` and `namedIn` are decided, so a planner needs to look at neither. */
  layers: LayerRule[];
  /** Those below all others, also where the spec says what the others are. */
  jreLayers: LayerRule[];
  entrypoint?: { command: string[]; because: string };
  /** As the file has it: a web or git address, or a registry's shorthand. */
  origin?: string;
}

/** The rules of a resolved toolchain (or of a catalog's entry) that defaults come from. */
export interface DefaultRules {
  buildOnly: string[];
  tasks: Record<string, TaskRule[]>;
  layers: LayerRule[];
  jreLayers?: LayerRule[];
  entrypoint: EntrypointRule[];
  origins: Fact[];
}

/** Asks the repository which of a toolchain's default tasks, layers and entrypoints are for it. Reads, runs nothing. */
export function readDefaults(rootDir: string, rules: DefaultRules, chosen: Chosen = {}): ToolchainDefaults {
  const entrypoint = readStart(rootDir, rules.entrypoint, { chosen, buildOnly: rules.buildOnly });
  const origin = rules.origins.map((fact) => readFact(rootDir, fact)).find((text) => text !== undefined);
  return {
    tasks: readTasks(rootDir, rules.tasks, chosen),
    layers: readLayers(rootDir, rules.layers, chosen),
    jreLayers: readLayers(rootDir, rules.jreLayers ?? [], chosen),
    ...(entrypoint === undefined ? {} : { entrypoint }),
    ...(origin === undefined ? {} : { origin }),
  };
}

function readLayers(rootDir: string, rules: LayerRule[], chosen: Chosen): LayerRule[] {
  return rules

    .filter(({ when, unless }) => {
      const holds = (condition: (typeof when)[number]) => conditionsHold(rootDir, [condition], chosen);
      return when.every(holds) && !unless.some(holds);
    })
    .map((rule) => ({ ...rule, from: rule.from.filter((path) => isNamed(rootDir, rule.namedIn, path)) }))
    .filter((rule) => rule.from.length > 0);
}

function readTasks(rootDir: string, rules: Record<string, TaskRule[]>, chosen: Chosen): Record<string, DefaultTask> {
  const held = Object.entries(rules).flatMap(([name, all]) => {
    const rule = all.find(({ when }) => conditionsHold(rootDir, when, chosen));
    return rule === undefined ? [] : [[name, rule] as const];
  });
  return Object.fromEntries(
    held.map(([name, { run, needs, env, reports, because }]) => [name, { run, needs, env, reports, because }]),
  );
}

/** Whether a file speaks of a path, as a path or a word of a command, but not merely as a key (`"build": ...`). */
function isNamed(rootDir: string, file: string | undefined, path: string): boolean {
  if (file === undefined) return true;
  const escaped = path.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
  return readFact(rootDir, { file, pattern: `(?<![\\w.-])${escaped}(?![\\w-]|"\\s*:)` }) !== undefined;
}
