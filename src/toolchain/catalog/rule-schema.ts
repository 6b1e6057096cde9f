import semver from 'semver';
import { z } from 'zod';
import { packageName } from './package-name.ts';

export const word = z
  .string()
  .regex(/^[a-z0-9]+(?:[._-][a-z0-9]+)*$/, 'lower case letters, digits, and . _ - between them');
export const environment = z.record(z.string().regex(/^[A-Za-z_]\w*$/, 'a variable name'), z.string());
export const platform = z.string().regex(/^linux\/[a-z0-9]+$/, 'a platform such as linux/amd64');
export const absolutePath = z.string().regex(/^\//, 'an absolute path');
export const cachePath = z.string().regex(/^\/(?:cache|home\/gbuild)\/./, 'a path below /cache/ or /home/gbuild/');
export const versionList = z.string().transform((text) => text.split(/\s+/).filter((version) => version !== ''));
export const range = z.string().refine((text) => semver.validRange(text) !== null, 'a range of versions');
export const pattern = z.string().refine(isPattern, 'a regular expression');
const npmPackage = z.string().regex(packageName, 'the name of a package of the npm registry');
export const belowHome = z
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
export const factSchema = z.strictObject(factShape);

/** A fact that has to hold, or an option that has to have a value. */
export const conditionSchema = z.union([factSchema, z.strictObject({ option: z.string(), is: z.string() })]);

/** A fact whose value is a version or a range of versions. */
export const versionShape = {
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
export const layerRuleSchema = z.strictObject({
  /** The layer's name; shown to people and written to its history line. */
  name: word,
  /** Files and folders of the workspace; '.' is all of it. */
  from: z.array(z.string()).min(1),
  /**
   * Choice among `from`: all files (default); `production`, the installed packages that production needs; `made`, what git ignores
   * and a task made; `tracked`, the rest: what git tracks, submodules included, and new files, but for what .dockerignore names.
   */
  select: z.enum(['all', 'tracked', 'made', 'production']).default('all'),
  /** Folders, by name wherever they lie, that are known to be what builds make, whoever wrote to them last; with `select: made`. */
  outputs: z.array(z.string()).default([]),
  /** File of the workspace that lists the paths to take, one a line; a folder stands for all in it. */
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

export const taskRuleSchema = z.strictObject({
  run: z.string(),
  /** Other default tasks to run first, as far as the repository has them. */
  needs: z.array(z.string()).default([]),
  env: environment.default({}),
  reports: z.array(z.string()).default([]),
  /** Says why this task is assumed, in the past tense of an observer: "package.json has a script build". */
  because: z.string(),
  /** Has to hold as well; `{value}` in `run` is its value. */
  fact: factSchema.optional(),
  when: z.array(conditionSchema).default([]),
});

export const ranges = <Value extends z.ZodType>(value: Value) => z.union([value, z.record(range, value)]);

export const optionSchema = z.strictObject({
  type: z.enum(['version', 'packages', 'string', 'boolean', 'number']),
  description: z.string(),
  values: z.array(z.string()).optional(),
  /** Versions to take one of where the repository's files give a range. */
  known: versionList.default([]),
  /** Value where a repository does not say: one, or by range of the toolchain's version. */
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
      /** Text to write where nobody has decided, `{value}` being one of the values. */
      remedy: z.string(),
    })
    .optional(),
  /** Which of its values go with which versions of the toolchain: range of values by range of versions. */
  fits: z.record(range, range).optional(),
});

export const partSchema = z.strictObject({
  /** The npm package that brings this part; by platform where it is a binary. */
  npm: z.union([npmPackage, z.record(platform, npmPackage)]),
  /** `{version}`, an exact version, or by range of the toolchain's version; without it only the option brings the part. */
  version: ranges(z.string()).optional(),
  /** The option with which a repository chooses this part's version itself. */
  option: z.string().optional(),
  /** Versions of the part that this package has; asked for another, the part is left out. */
  fits: range.optional(),
});

export const requirementSchema = z.strictObject({
  ...versionShape,
  /** Text to write where no version can be had, `{version}` being the nearest that can. */
  remedy: z.string().optional(),
  /** The option by which a spec may bring what is required besides the version: nothing is missing where it is used. */
  alsoBy: z.string().optional(),
});

export const spellingSchema = z.strictObject({
  pattern,
  /** It asks for no version (`system`), or for one in the numbers of something else. */
  means: z.enum(['nothing', 'unknown']).optional(),
});

export const entrypointSchema = z.strictObject({
  fact: factSchema,
  /** The argv, `{value}` in it being the fact's value; without it the value is a command line of its own. */
  command: z.array(z.string()).optional(),
  /** Expressions of what a command line calls by its place in the workspace, and what that is in the image. */
  inImage: z.record(pattern, z.string()).default({}),
  /** Does not hold where a word of the command line names a file of the repository, for the image has none of them. */
  withoutFiles: z.boolean().default(false),
  /** Nobody knows what the command line is in the image: no rule holds from here on. What to write instead. */
  remedy: z.string().optional(),
  /** One of these files has to be there, `{value}` filled in. */
  there: z.array(z.string()).default([]),
  /** Where a command of the value, or of several joined by `&&`, calls a script by name (the first group), that script's line is started. */
  follow: z
    .strictObject({
      pattern,
      /** The file of all scripts; the fact's own when left out. */
      file: z.string().optional(),
      /** The JSON key of all scripts. */
      json: z.string(),
      /** A script of this prefix and another one's name runs before that one. */
      before: z.string().optional(),
      /** A command that the tasks have done already. */
      done: pattern.optional(),
    })
    .optional(),
  when: z.array(conditionSchema).default([]),
  because: z.string(),
});

export const jreSchema = z.strictObject({
  /** The Dockerfile's target that the image then stands on. */
  target: word,
  /** Debian packages of its root, instead of the toolchain's `runtimePackages`. */
  runtimePackages: z.array(z.string()).default([]),
  /** Tells the task that lays the image out; `{modules}`, those that the spec names, is filled in. */
  env: environment.default({}),
  /** Where that task has put the runtime: layers below all others, whoever says what those are. */
  layers: z.array(layerRuleSchema).min(1),
});

export type Fact = z.infer<typeof factSchema>;
export type Condition = z.infer<typeof conditionSchema>;
export type VersionFact = Omit<z.infer<typeof requirementSchema>, 'remedy' | 'alsoBy'>;
export type Requirement = z.infer<typeof requirementSchema>;
export type LayerRule = z.infer<typeof layerRuleSchema>;
export type TaskRule = z.infer<typeof taskRuleSchema>;
export type EntrypointRule = z.infer<typeof entrypointSchema>;
export type OptionRule = z.infer<typeof optionSchema>;
export type JreRule = z.infer<typeof jreSchema>;
export type PartRule = z.infer<typeof partSchema>;

function isPattern(text: string): boolean {
  try {
    new RegExp(text);
    return true;
  } catch {
    return false;
  }
}
