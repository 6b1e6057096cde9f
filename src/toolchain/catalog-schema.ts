import { z } from 'zod';

const word = z.string().regex(/^[a-z0-9]+(?:[._-][a-z0-9]+)*$/, 'lower case letters, digits, and . _ - between them');
const environment = z.record(z.string().regex(/^[A-Za-z_]\w*$/, 'a variable name'), z.string());
const platform = z.string().regex(/^linux\/[a-z0-9]+$/, 'a platform such as linux/amd64');
const versionList = z.string().transform((text) => text.split(/\s+/).filter((version) => version !== ''));
const pattern = z.string().refine(isPattern, 'a regular expression');

/**
 * Something that can be read in a repository without running anything: a file is there; a key of a JSON file (dotted path)
 * is there; a regular expression (multi-line) is found in the file, or in that key's value. The value of a fact is the
 * expression's first group, else the key's text, else the file's.
 */
const factSchema = z.strictObject({ file: z.string(), json: z.string().optional(), pattern: pattern.optional() });

/** One rule of the automatic layers, as the planner interprets it; rules are in layer order, the rarest changing first. */
const layerRuleSchema = z.strictObject({
  /** The layer's name; shown to people and written to its history line. */
  name: word,
  /** Files and folders of the workspace; '.' is all of it. */
  from: z.array(z.string()).min(1),
  /** What of `from`: all files (default), those tracked by git, or the packages that npm installs for production. */
  select: z.enum(['all', 'tracked', 'npm-production']).default('all'),
  /** Globs relative to the workspace; without any, everything. */
  include: z.array(z.string()).default([]),
  exclude: z.array(z.string()).default([]),
  /** Where `from` lands: a path of the workspace keeps its place below this folder; the contents of a `from` that ends in "/" go directly there. */
  to: z.string().regex(/^\//, 'an absolute path'),
  /** A `from` that is missing when the layer is packed is left out; without this it is an error. */
  optional: z.boolean().default(false),
  /** Only those paths of `from` that this file speaks of (a build folder that package.json names). */
  namedIn: z.string().optional(),
  when: z.array(factSchema).default([]),
});

const taskRuleSchema = z.strictObject({
  run: z.string(),
  /** Other default tasks to run first, as far as the repository has them. */
  needs: z.array(z.string()).default([]),
  env: environment.default({}),
  reports: z.array(z.string()).default([]),
  /** Says why this task is assumed, in the past tense of an observer: "package.json has a script build". */
  because: z.string(),
  when: z.array(factSchema).default([]),
});

const optionSchema = z.strictObject({
  type: z.enum(['version', 'packages', 'string', 'boolean', 'number']),
  description: z.string(),
  values: z.array(z.string()).optional(),
});

const partSchema = z.strictObject({
  /** The npm package that brings this part; by platform where it is a binary. */
  npm: z.union([z.string(), z.record(platform, z.string())]),
  /** `{version}`, an exact version, or by range of the toolchain's version: the first that fits. */
  version: z.union([z.string(), z.record(z.string(), z.string())]),
  /** The option with which a repository chooses this part's version itself. */
  option: z.string().optional(),
});

const entrypointSchema = z.strictObject({
  fact: factSchema,
  /** The argv, `{value}` in it being the fact's value; without it the value is a command line of its own. */
  command: z.array(z.string()).optional(),
  because: z.string(),
});

/** images/<name>/toolchain.yml: everything gbuild knows about a toolchain beside its Dockerfile. */
export const toolchainSchema = z.strictObject({
  toolchain: z.literal(1),
  name: word,
  title: z.string(),
  /** The Debian suite of images/base that both targets stand on. */
  base: word,
  /** What `*` means: the range meant when a repository does not care. */
  default: z.string().default('*'),
  /** Known versions by platform, separated by white space. */
  versions: z.record(platform, versionList),
  /** Exact versions that are not in the list may be asked for too: the registry decides. */
  anyVersion: z.boolean().default(false),
  /** Other names of ranges (`lts/jod`). */
  aliases: z.record(z.string(), z.string()).default({}),
  options: z.record(z.string(), optionSchema).default({}),
  parts: z.record(word, partSchema).default({}),
  /** Build arguments of the Dockerfile; `{version}` and `{option name}` are filled in. */
  args: z.record(z.string(), z.string()).default({}),
  /** Paths of the runtime image that differ from one build to the next and are not wanted there. */
  volatile: z.array(z.string()).default([]),
  caches: z
    .array(z.strictObject({ name: word, path: z.string().startsWith('/cache/'), env: environment.default({}) }))
    .default([]),
  /** Set in containers that build and test. */
  env: environment.default({}),
  detect: z.strictObject({
    /** The repository is of this toolchain when one of these holds. */
    any: z.array(factSchema).min(1),
    /** The first that holds says the version or range. */
    version: z.array(factSchema).default([]),
    name: z.array(factSchema).default([]),
  }),
  tasks: z.record(word, taskRuleSchema).default({}),
  layers: z.array(layerRuleSchema).default([]),
  /** What an image starts where the spec is silent: the first that holds. */
  entrypoint: z.array(entrypointSchema).default([]),
  /** Where the repository's own files say it lives: the first that is an address. */
  origins: z.array(factSchema).default([]),
});

/** images/base/base.yml: the Debian roots that toolchains stand on. */
export const baseSchema = z.strictObject({
  base: z.literal(1),
  suites: z.record(
    word,
    z.strictObject({
      /** Pulled where a registry has it; else the root is made from the suite's packages. */
      reference: z.string(),
    }),
  ),
  /** Paths that no root keeps: logs, caches, the machine's identity. */
  volatile: z.array(z.string()),
});

export type Fact = z.infer<typeof factSchema>;
export type LayerRule = z.infer<typeof layerRuleSchema>;
export type TaskRule = z.infer<typeof taskRuleSchema>;
export type EntrypointRule = z.infer<typeof entrypointSchema>;
export type OptionRule = z.infer<typeof optionSchema>;
export type PartRule = z.infer<typeof partSchema>;
export type ToolchainData = z.infer<typeof toolchainSchema>;
export type BaseData = z.infer<typeof baseSchema>;

function isPattern(text: string): boolean {
  try {
    new RegExp(text);
    return true;
  } catch {
    return false;
  }
}
