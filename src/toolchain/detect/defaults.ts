import type { RefusalRule } from '../catalog/catalog-schema.ts';
import type { EntrypointRule, Fact, LayerRule, TaskRule } from '../catalog/rule-schema.ts';
import { type Chosen, conditionsHold, readFact, ruleHolds } from './facts.ts';
import { readStart, type Start, type UnfitStart } from './start.ts';

/** Default task of a repository. */
export interface DefaultTask {
  run: string;
  /** Tasks to run first, where the repository has them. */
  needs: string[];
  env: Record<string, string>;
  reports: string[];
  because: string;
}

/** Defaults that a toolchain proposes for one repository; the spec takes precedence. */
export interface ToolchainDefaults {
  tasks: Record<string, DefaultTask>;
  /** Rules in layer order. `when` and `unless` are already decided, so a planner can ignore both. */
  layers: LayerRule[];
  /** Layers below all others, even below the spec's own. */
  jreLayers: LayerRule[];
  /** Reason why these layers make no image that starts. */
  refusal?: { because: string; remedy: string };
  entrypoint?: Start;
  /** Reason why the repository's start command is no entrypoint. */
  unfitStart?: UnfitStart['unfit'];
  /** Address as the file has it: a web or git address, or a registry's shorthand. */
  origin?: string;
}

/** Rules of a resolved toolchain (or of a catalog's entry) for the defaults. */
export interface DefaultRules {
  buildOnly: string[];
  tasks: Record<string, TaskRule[]>;
  layers: LayerRule[];
  jreLayers?: LayerRule[];
  refusals?: RefusalRule[];
  entrypoint: EntrypointRule[];
  origins: Fact[];
}

/** Reads which of a toolchain's default tasks, layers and entrypoints apply to the repository. Runs nothing. */
export function readDefaults(rootDir: string, rules: DefaultRules, chosen: Chosen = {}): ToolchainDefaults {
  const start = readStart(rootDir, rules.entrypoint, { chosen, buildOnly: rules.buildOnly });
  const origin = rules.origins.map((fact) => readFact(rootDir, fact)).find((text) => text !== undefined);
  const refusal = rules.refusals?.find((rule) => ruleHolds(rootDir, rule, chosen));
  return {
    ...(refusal !== undefined && { refusal: { because: refusal.because, remedy: refusal.remedy } }),
    tasks: readTasks(rootDir, rules.tasks, chosen),
    layers: rules.layers.filter((rule) => ruleHolds(rootDir, rule, chosen)),
    jreLayers: (rules.jreLayers ?? []).filter((rule) => ruleHolds(rootDir, rule, chosen)),
    ...(start === undefined ? {} : 'unfit' in start ? { unfitStart: start.unfit } : { entrypoint: start }),
    ...(origin === undefined ? {} : { origin }),
  };
}

function readTasks(rootDir: string, rules: Record<string, TaskRule[]>, chosen: Chosen): Record<string, DefaultTask> {
  const held = Object.entries(rules).flatMap(([name, all]) => {
    for (const { fact, when, ...task } of all) {
      const value = fact === undefined ? '' : readFact(rootDir, fact);
      if (value === undefined || !conditionsHold(rootDir, when, chosen)) continue;
      return [[name, { ...task, run: task.run.replaceAll('{value}', value) }] as const];
    }
    return [];
  });
  return Object.fromEntries(held);
}
