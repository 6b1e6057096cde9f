import { z } from 'zod';
import {
  absolutePath,
  belowHome,
  cachePath,
  conditionSchema,
  entrypointSchema,
  environment,
  factSchema,
  jreSchema,
  layerRuleSchema,
  optionSchema,
  partSchema,
  pattern,
  platform,
  range,
  ranges,
  requirementSchema,
  spellingSchema,
  taskRuleSchema,
  versionList,
  versionShape,
  word,
} from './rule-schema.ts';

/** Schema of images/<name>/toolchain.yml: everything gbuild knows about a toolchain besides its Dockerfile. */
export const catalogToolchainSchema = z.strictObject({
  toolchain: z.literal(1),
  name: word,
  title: z.string(),
  /** The Debian suite of images/base that both targets stand on: one, or by range of the toolchain's version. */
  base: ranges(word),
  /** The option by whose value `base` is looked up instead of the toolchain's version. */
  baseBy: word.optional(),
  /** Meaning of `*`: the range meant when a repository does not care. */
  default: z.string().default('*'),
  /** Known versions by platform, separated by white space; a short one (`21`) where a suite decides the rest. */
  versions: z.record(platform, versionList),
  /**
   * How tools spell versions, by a name that facts refer to: the first expression that fits a text; its group is the version as
   * the catalog writes it.
   */
  spellings: z.record(word, z.array(spellingSchema)).default({}),
  /** Which release a short version is at least, where requirements ask for releases. */
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
    /** Order among toolchains that a repository could be: the lowest is taken first; then the first by name. */
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
    /** Requirements of the repository's own tools: the version has to fit all of these. */
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
  /** Examples that a first gbuild.yml shows, commented out, of keys that a repository does not need. */
  examples: z.record(z.string(), z.unknown()).default({}),
  /** Folders, by name wherever they lie, that its tools write and nobody commits: untracked files in them are no change. */
  leftovers: z.array(z.string()).default([]),
  /** Names of files that its tools write where they are missing, and that a commit has to hold. */
  lockFiles: z.array(z.string()).default([]),
  /** Programs that an image to ship on has not: a command that calls one of them is never what it starts. */
  buildOnly: z.array(z.string()).default([]),
  /** Entrypoints of an image where the spec is silent: the first that holds. */
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

export type RefusalRule = ToolchainData['refusals'][number];
export type ToolchainData = z.infer<typeof catalogToolchainSchema>;
export type BaseData = z.infer<typeof baseSchema>;
