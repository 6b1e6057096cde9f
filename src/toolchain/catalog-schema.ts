import semver from 'semver';
import { z } from 'zod';
import { packageName } from './package-name.ts';

const word = z.string().regex(/^[a-z0-9]+(?:[._-][a-z0-9]+)*$/, 'lower case letters, digits, and . _ - between them');
const environment = z.record(z.string().regex(/^[A-Za-z_]\w*$/, 'a variable name'), z.string());
const platform = z.string().regex(/^linux\/[a-z0-9]+$/, 'a platform such as linux/amd64');
const absolutePath = z.string().regex(/^\//, 'an absolute path');
const cachePath = z.string().regex(/^\/(?:cache|home\/gbuild)\/./, 'a path below /cache/ or /home/gbuild/');
const versionList = z.string().transform((text) => text.split(/\s+/).filter((version) => version !== ''));
const range = z.string().refine((text) => semver.validRange(text) !== null, 'a range of versions');
const pattern = z.string().refine(isPattern, 'a regular expression');
const npmPackage = z.string().regex(packageName, 'the name of a package of the npm registry');
const belowHome = z
  .string()
  .refine((path) => path.split('/').every((part) => !['', '.', '..'].includes(part)), 'a path below the home');

/**
 * Something that can be read in a repository without running anything: a file is there (`*` in its path: the first that
 * fits); a key of a JSON file (dotted path; of a list the element whose name stands in brackets, else the first) is there; a
 * regular expression (multi-line) is found in the file, or in that key's value. The value of a fact is the expression's first
 * group, else the key's text, else the file's.
 */
const factShape = {
  file: z.string(),
  json: z.string().optional(),
  pattern: pattern.optional(),
  /** Finds in the same file what a `${name}` of the value stands for: an expression with `{name}` in it. */
  lookup: z.string().optional(),
};
const factSchema = z.strictObject(factShape);

/** A fact that has to hold, or an option that has to have a value. */
const conditionSchema = z.union([factSchema, z.strictObject({ option: z.string(), is: z.string() })]);

/** A fact whose value is a version or a range of versions. */
const versionShape = {
  ...factShape,
  /** Stands for what the file says. */
  value: z.string().optional(),
  /** How the ranges are written: as npm, as Ruby's gems or as Maven writes them. */
  notation: z.enum(['semver', 'gem', 'maven']).default('semver'),
  /** The name of one of the toolchain's `spellings`. */
  spelling: word.optional(),
  when: z.array(conditionSchema).default([]),
};

/** One rule of the automatic layers, as the planner interprets it; rules are in layer order, the rarest changing first. */
const layerRuleSchema = z.strictObject({
  /** The layer's name; shown to people and written to its history line. */
  name: word,
  /** Files and folders of the workspace; '.' is all of it. */
  from: z.array(z.string()).min(1),
  /**
   * What of `from`: all files (default); `production`, the installed packages that production needs; `made`, what git ignores and a task
   * made; `tracked`, the rest, which is what git tracks, submodules included, and new files, but for what .dockerignore names.
   */
  select: z.enum(['all', 'tracked', 'made', 'production']).default('all'),
  /** Folders, by name wherever they lie, that are known to be what builds make, whoever wrote to them last; with `select: made`. */
  outputs: z.array(z.string()).default([]),
  /** Of these only what this file of the workspace lists, a path a line; a folder stands for all in it. */
  listedIn: z.string().optional(),
  /** Globs relative to the workspace; without any, everything. */
  include: z.array(z.string()).default([]),
  exclude: z.array(z.string()).default([]),
  /** Where `from` lands: a path of the workspace keeps its place below this folder; the contents of a `from` that ends in "/" go directly there. */
  to: absolutePath,
  /** A `from` that is missing when the layer is packed is left out; without this it is an error. */
  optional: z.boolean().default(false),
  /** Its files change together: it is one layer, however large. */
  whole: z.boolean().default(false),
  /** All of these must hold, and none of those. */
  when: z.array(conditionSchema).default([]),
  unless: z.array(conditionSchema).default([]),
});

const taskRuleSchema = z.strictObject({
  run: z.string(),
  /** Other default tasks to run first, as far as the repository has them. */
  needs: z.array(z.string()).default([]),
  env: environment.default({}),
  reports: z.array(z.string()).default([]),
  /** Says why this task is assumed, in the past tense of an observer: "package.json has a script build". */
  because: z.string(),
  when: z.array(conditionSchema).default([]),
});

const ranges = <Value extends z.ZodType>(value: Value) => z.union([value, z.record(range, value)]);

const optionSchema = z.strictObject({
  type: z.enum(['version', 'packages', 'string', 'boolean', 'number']),
  description: z.string(),
  values: z.array(z.string()).optional(),
  /** Versions to take one of where the repository's files give a range. */
  known: versionList.default([]),
  /** What it is where a repository does not say: one value, or by range of the toolchain's version. */
  default: ranges(z.string()).optional(),
  /**
   * Where the repository's files say it, when its spec does not: the first exact one that all ranges allow, else the newest
   * that is known and that they allow.
   */
  ask: z.array(z.strictObject(versionShape)).default([]),
  /**
   * How the repository's files decide between the values: the first that holds, `is` or the fact's value. Where more than one
   * of those that are `weak` hold and mean different values, nobody has decided.
   */
  choose: z
    .strictObject({
      rules: z
        .array(z.strictObject({ ...factShape, is: z.string().optional(), weak: z.boolean().default(false) }))
        .min(1),
      /** What to write where nobody has decided, `{value}` being one of the values. */
      remedy: z.string(),
    })
    .optional(),
  /** Which of its values go with which versions of the toolchain: range of values by range of versions. */
  fits: z.record(range, range).optional(),
});

const partSchema = z.strictObject({
  /** The npm package that brings this part; by platform where it is a binary. */
  npm: z.union([npmPackage, z.record(platform, npmPackage)]),
  /** `{version}`, an exact version, or by range of the toolchain's version; without it only the option brings the part. */
  version: ranges(z.string()).optional(),
  /** The option with which a repository chooses this part's version itself. */
  option: z.string().optional(),
  /** Versions of the part that this package has; asked for another, the part is left out. */
  fits: range.optional(),
});

const requirementSchema = z.strictObject({
  ...versionShape,
  /** What to write where no version can be had, `{version}` being the nearest that can. */
  remedy: z.string().optional(),
});

const spellingSchema = z.strictObject({
  pattern,
  /** It asks for no version (`system`), or for one in the numbers of something else. */
  means: z.enum(['nothing', 'unknown']).optional(),
});

const entrypointSchema = z.strictObject({
  fact: factSchema,
  /** The argv, `{value}` in it being the fact's value; without it the value is a command line of its own. */
  command: z.array(z.string()).optional(),
  /** One of these files has to be there, `{value}` filled in. */
  there: z.array(z.string()).default([]),
  /** Where the value calls another script by name (the first group), that one's is started: the JSON key of all scripts. */
  follow: z.strictObject({ pattern, json: z.string() }).optional(),
  when: z.array(conditionSchema).default([]),
  because: z.string(),
});

const jreSchema = z.strictObject({
  /** The Dockerfile's target that the image then stands on. */
  target: word,
  /** Debian packages of its root, instead of the toolchain's `runtimePackages`. */
  runtimePackages: z.array(z.string()).default([]),
  /** Tells the task that lays the image out; `{modules}`, those that the spec names, is filled in. */
  env: environment.default({}),
  /** Where that task has put the runtime: layers below all others, whoever says what those are. */
  layers: z.array(layerRuleSchema).min(1),
});

/** images/<name>/toolchain.yml: everything gbuild knows about a toolchain beside its Dockerfile. */
export const toolchainSchema = z.strictObject({
  toolchain: z.literal(1),
  name: word,
  title: z.string(),
  /** The Debian suite of images/base that both targets stand on: one, or by range of the toolchain's version. */
  base: ranges(word),
  /** The option by whose value `base` is looked up instead of the toolchain's version. */
  baseBy: word.optional(),
  /** What `*` means: the range meant when a repository does not care. */
  default: z.string().default('*'),
  /** Known versions by platform, separated by white space; a short one (`21`) where a suite decides the rest. */
  versions: z.record(platform, versionList),
  /**
   * How tools spell versions, by a name that facts refer to: the first expression that fits a text; its group is the version as
   * the catalog writes it.
   */
  spellings: z.record(word, z.array(spellingSchema)).default({}),
  /** Which release a short version is, where requirements ask for releases. */
  releases: z.record(z.string(), z.string()).default({}),
  /** Exact versions outside the list may be asked for too, all or those of a range: the registry decides. */
  anyVersion: z.union([z.boolean(), range]).default(false),
  /** Lines that are maintained for years: a range that also allows others means the newest of these. */
  longTerm: range.optional(),
  /** Other names of ranges (`lts/jod`). */
  aliases: z.record(z.string(), z.string()).default({}),
  options: z.record(z.string(), optionSchema).default({}),
  parts: z.record(word, partSchema).default({}),
  /** Build arguments of the Dockerfile; `{version}` and `{option name}` are filled in. */
  args: z.record(z.string(), z.string()).default({}),
  /**
   * Debian packages that images to ship on need, some only from a version on; filled in like `args`, one that is empty then
   * is left out.
   */
  runtimePackages: z.array(ranges(z.string())).default([]),
  /** The command that the image to ship on has to run once when it is made: its program starts there. */
  starts: z.array(z.string()).default([]),
  /** Java runtimes that an image may have instead of the one in `runtimePackages`, by their kind. */
  jre: z.record(word, jreSchema).default({}),
  /** Commands that print a version, by the name of the tool: what gbuild.lock says is inside. */
  tools: z.record(word, z.string()).default({}),
  /** Paths of the images that differ from one build to the next and are not wanted there. */
  volatile: z.array(z.string()).default([]),
  caches: z
    .array(
      z.strictObject({
        name: word,
        path: cachePath,
        env: environment.default({}),
        when: z.array(conditionSchema).default([]),
        unless: z.array(conditionSchema).default([]),
      }),
    )
    .default([]),
  /** Set in containers that build and test. */
  env: environment.default({}),
  /**
   * The caller's own configuration of the tools (mirrors, credentials): files below the home that are bound read-only into
   * builds and runs where they are there, and never come into an image. A catalog that the repository itself names gets none.
   */
  hostFiles: z
    .array(
      z.strictObject({
        from: belowHome,
        to: absolutePath,
        keep: pattern.optional(),
        /** The form in which it names variables, which are filled in from the caller's. */
        variables: z.enum(['npm']).optional(),
      }),
    )
    .default([]),
  /** Java keystores of the image, without a leading '/': their dates are taken out, and runs trust the host's roots there. */
  keystores: z.array(z.string().regex(/^[^/]/, 'a path without a leading /')).default([]),
  detect: z.strictObject({
    /** Of several toolchains that a repository could be, the lowest is taken first; then the first by name. */
    order: z.number().default(50),
    /** The repository is of this toolchain when one of these holds. */
    any: z.array(factSchema).min(1),
    /** A folder is a project by itself, whatever is above it, where one of these or of `members` holds. */
    own: z.array(factSchema).default([]),
    /** Folders below belong to this one's project, where one of these holds. */
    members: z.array(factSchema).default([]),
    /** Toolchains that are out of the question where this one fits. */
    insteadOf: z.array(word).default([]),
    /** The first that holds says the version or range. */
    version: z.array(z.strictObject(versionShape)).default([]),
    /** What the repository's own tools refuse to go without: the version has to fit all of these. */
    requires: z.array(requirementSchema).default([]),
    name: z.array(factSchema).default([]),
  }),
  /** By name; of several rules for a task the first that holds. */
  tasks: z
    .record(word, z.union([taskRuleSchema.transform((rule) => [rule]), z.array(taskRuleSchema).min(1)]))
    .default({}),
  layers: z.array(layerRuleSchema).default([]),
  /** Where `layers` cannot make an image that starts: the reason, and what to do. */
  refusals: z
    .array(
      z.strictObject({
        because: z.string(),
        remedy: z.string(),
        when: z.array(conditionSchema).min(1),
        unless: z.array(conditionSchema).default([]),
      }),
    )
    .default([]),
  /** What a first gbuild.yml shows, commented out, of keys that a repository does not need. */
  examples: z.record(z.string(), z.unknown()).default({}),
  /** Folders, by name wherever they lie, that its tools write and nobody commits: untracked files in them are no change. */
  leftovers: z.array(z.string()).default([]),
  /** Names of files that its tools write where they are missing, and that a commit has to hold. */
  lockFiles: z.array(z.string()).default([]),
  /** Programs that an image to ship on has not: a command that calls one of them is never what it starts. */
  buildOnly: z.array(z.string()).default([]),
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
export type Condition = z.infer<typeof conditionSchema>;
export type VersionFact = Omit<z.infer<typeof requirementSchema>, 'remedy'>;
export type Requirement = z.infer<typeof requirementSchema>;
export type LayerRule = z.infer<typeof layerRuleSchema>;
export type TaskRule = z.infer<typeof taskRuleSchema>;
export type EntrypointRule = z.infer<typeof entrypointSchema>;
export type OptionRule = z.infer<typeof optionSchema>;
export type RefusalRule = ToolchainData['refusals'][number];
export type JreRule = z.infer<typeof jreSchema>;
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
