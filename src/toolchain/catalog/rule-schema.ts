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
 * Fact that can be read in a repository without running anything. A file exists (`*` in its path: the first match). A
 * key of a JSON file exists (dotted path; in a list the element with the name in brackets, else the first). A regular
 * expression (multi-line) matches the file, or that key's value. The value of a fact is the expression's first group,
 * else the key's text, else the file's.
 */
const factShape = {
  file: z.string(),
  json: z.string().optional(),
  pattern: pattern.optional(),
  /** Expression with `{name}` in it: it finds, in the same file, the meaning of a `${name}` in the value. */
  lookup: z.string().optional(),
};
export const factSchema = z.strictObject(factShape);

/** Condition: a fact that must hold, or an option that must have a value. */
export const conditionSchema = z.union([factSchema, z.strictObject({ option: z.string(), is: z.string() })]);

/** Fact with a version or a range of versions as its value. */
export const versionShape = {
  ...factShape,
  /** Value that replaces the file's text. */
  value: z.string().optional(),
  /** Syntax of the ranges: npm's, that of Ruby's gems, or Maven's. */
  notation: z.enum(['semver', 'gem', 'maven']).default('semver'),
  /** Name of one of the toolchain's `spellings`. */
  spelling: word.optional(),
  when: z.array(conditionSchema).default([]),
};

/** Rule of the automatic layers, for the planner; rules are in layer order, the rarest changing first. */
export const layerRuleSchema = z.strictObject({
  /** Name of the layer, for people and for its history line. */
  name: word,
  /** Files and folders of the workspace; '.' is all of it. */
  from: z.array(z.string()).min(1),
  /**
   * Selection among `from`. `production` means the installed packages that production needs, `made` the ignored files
   * that a task made. `tracked` means the rest: files that git tracks, submodules included, and new files, without
   * those that .dockerignore names. Defaults to all files.
   */
  select: z.enum(['all', 'tracked', 'made', 'production']).default('all'),
  /**
   * Folders, by name at any depth, that are known build outputs, even where a person wrote to them last; with `select:
   * made`.
   */
  outputs: z.array(z.string()).default([]),
  /** File of the workspace that lists the paths to take, one a line; a folder means everything in it. */
  listedIn: z.string().optional(),
  /** Globs relative to the workspace; everything without any. */
  include: z.array(z.string()).default([]),
  exclude: z.array(z.string()).default([]),
  /**
   * Destination of `from`: a path of the workspace keeps its place below this folder; the contents of a `from` that
   * ends in "/" go directly into it.
   */
  to: absolutePath,
  /** Whether a missing `from` is left out when the layer is packed; otherwise it is an error. */
  optional: z.boolean().default(false),
  /** Whether its files change together: it is one layer, however large. */
  whole: z.boolean().default(false),
  /** Conditions that must all hold, and conditions of which none may hold. */
  when: z.array(conditionSchema).default([]),
  unless: z.array(conditionSchema).default([]),
});

export const taskRuleSchema = z.strictObject({
  run: z.string(),
  /** Other default tasks to run first, where the repository has them. */
  needs: z.array(z.string()).default([]),
  env: environment.default({}),
  reports: z.array(z.string()).default([]),
  /** Reason why this task is assumed, in the past tense of an observer: "package.json has a script build". */
  because: z.string(),
  /** Fact that must hold as well; `{value}` in `run` is its value. */
  fact: factSchema.optional(),
  when: z.array(conditionSchema).default([]),
});

export const ranges = <Value extends z.ZodType>(value: Value) => z.union([value, z.record(range, value)]);

export const optionSchema = z.strictObject({
  type: z.enum(['version', 'packages', 'string', 'boolean', 'number']),
  description: z.string(),
  values: z.array(z.string()).optional(),
  /** Versions to choose from where the repository's files give a range. */
  known: versionList.default([]),
  /** Default value: one, or by range of the toolchain's version. */
  default: ranges(z.string()).optional(),
  /**
   * Sources of the value in the repository's files, when the spec has none: the first exact one that all ranges allow,
   * else the newest known one that they allow.
   */
  ask: z.array(z.strictObject(versionShape)).default([]),
  /**
   * Rules by which the repository's files decide between the values: the first that holds gives `is` or the fact's
   * value. Several `weak` rules with different values leave the choice open.
   */
  choose: z
    .strictObject({
      rules: z
        .array(z.strictObject({ ...factShape, is: z.string().optional(), weak: z.boolean().default(false) }))
        .min(1),
      /** Text to write where the choice is open, with one of the values as `{value}`. */
      remedy: z.string(),
    })
    .optional(),
  /** Ranges of its values that go with ranges of the toolchain's version. */
  fits: z.record(range, range).optional(),
});

export const partSchema = z.strictObject({
  /** npm package of this part; by platform where it is a binary. */
  npm: z.union([npmPackage, z.record(platform, npmPackage)]),
  /**
   * Version: `{version}`, an exact version, or by range of the toolchain's version. Without it only the option adds the
   * part.
   */
  version: ranges(z.string()).optional(),
  /** Option by which a repository chooses this part's version itself. */
  option: z.string().optional(),
  /** Versions of the part that this package has; for any other version, the part is left out. */
  fits: range.optional(),
});

export const requirementSchema = z.strictObject({
  ...versionShape,
  /** Text to write where no version fits, with the nearest that does as `{version}`. */
  remedy: z.string().optional(),
  /** Option by which a spec may provide the requirement without the version: nothing is missing where it is used. */
  alsoBy: z.string().optional(),
});

export const spellingSchema = z.strictObject({
  pattern,
  /** Meaning of a text that is no version: it asks for none (`system`), or for one in another numbering. */
  means: z.enum(['nothing', 'unknown']).optional(),
});

export const entrypointSchema = z.strictObject({
  fact: factSchema,
  /** Command with the fact's value as `{value}`; without it the value itself is a command line. */
  command: z.array(z.string()).optional(),
  /** Expressions for workspace paths in a command line, with their replacements in the image. */
  inImage: z.record(pattern, z.string()).default({}),
  /**
   * Whether the rule is skipped where a word of the command line names a file of the repository, because the image has
   * none of them.
   */
  withoutFiles: z.boolean().default(false),
  /** Text to write instead where the command line is unusable in the image: no later rule is tried. */
  remedy: z.string().optional(),
  /** Files of which one must exist, with `{value}` filled in. */
  there: z.array(z.string()).default([]),
  /**
   * Replacement of a script's call: where a command of the value, or of several joined by `&&`, calls a script by name
   * (the first group), that script's line is started.
   */
  follow: z
    .strictObject({
      pattern,
      /** File of all scripts; defaults to the fact's own. */
      file: z.string().optional(),
      /** JSON key of all scripts. */
      json: z.string(),
      /** Prefix of a script that runs before the one with the rest of its name. */
      before: z.string().optional(),
      /** Pattern of a command that the tasks have already run. */
      done: pattern.optional(),
    })
    .optional(),
  when: z.array(conditionSchema).default([]),
  because: z.string(),
});

export const jreSchema = z.strictObject({
  /** Target of the Dockerfile that is the image's base then. */
  target: word,
  /** Debian packages of its base, instead of the toolchain's `runtimePackages`. */
  runtimePackages: z.array(z.string()).default([]),
  /** Variables for the task that lays out the image; `{modules}` becomes those that the spec names. */
  env: environment.default({}),
  /** Layers of the runtime that this task has laid out; they are below all others, also below the spec's own. */
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
