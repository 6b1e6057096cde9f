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

/** Schema of images/<name>/toolchain.yml: everything that gbuild knows about a toolchain except for its Dockerfile. */
export const catalogToolchainSchema = z.strictObject({
  toolchain: z.literal(1),
  name: word,
  title: z.string(),
  /** Debian suite of images/base below both targets: one, or by range of the toolchain's version. */
  base: ranges(word),
  /** Option whose value selects `base` instead of the toolchain's version. */
  baseBy: word.optional(),
  /** Range that `*` means, for a repository without a preference. */
  default: z.string().default('*'),
  /** Known versions by platform, separated by white space; a short one (`21`) where a suite decides the rest. */
  versions: z.record(platform, versionList),
  /**
   * Spellings of versions in tools, by a name that facts refer to. The first expression that matches a text counts; its
   * group is the version as the catalog writes it.
   */
  spellings: z.record(word, z.array(spellingSchema)).default({}),
  /** Least release that a short version means, where requirements ask for releases. */
  releases: z.record(z.string(), z.string()).default({}),
  /** Whether exact versions outside of the list are allowed, all or those of a range: the registry decides. */
  anyVersion: z.union([z.boolean(), range]).default(false),
  /** Range of long-term lines: a range that also allows others means the newest of these. */
  longTerm: range.optional(),
  /** Aliases of ranges (`lts/jod`). */
  aliases: z.record(z.string(), z.string()).default({}),
  options: z.record(z.string(), optionSchema).default({}),
  parts: z.record(word, partSchema).default({}),
  /** Build arguments of the Dockerfile; `{version}` and `{option name}` are filled in. */
  args: z.record(z.string(), z.string()).default({}),
  /**
   * Debian packages of runtime images, some only from a version on. They are filled in like `args`, and an empty one is
   * left out.
   */
  runtimePackages: z.array(ranges(z.string())).default([]),
  /** Command that the new runtime image must run once: it proves that its program starts. */
  starts: z.array(z.string()).default([]),
  /** Java runtimes by their kind, which an image may have instead of the one in `runtimePackages`. */
  jre: z.record(word, jreSchema).default({}),
  /** Commands that print a version, by the name of the tool: gbuild.lock records the results. */
  tools: z.record(word, z.string()).default({}),
  /** Paths in the images that differ from build to build and are left out. */
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
  /** Variables of containers that build and test. */
  env: environment.default({}),
  /**
   * Settings of the caller's tools (mirrors, credentials): existing files below the home folder. They are bound
   * read-only into builds and runs, and never get into an image. A catalog that the repository itself names gets none.
   */
  hostFiles: z
    .array(
      z.strictObject({
        from: belowHome,
        to: absolutePath,
        keep: pattern.optional(),
        /** Syntax of the variables in the file, which are filled in from the caller's. */
        variables: z.enum(['npm']).optional(),
      }),
    )
    .default([]),
  /** Java keystores of the image, without a leading '/': their dates are removed, and runs add the host's roots. */
  keystores: z.array(z.string().regex(/^[^/]/, 'a path without a leading /')).default([]),
  detect: z.strictObject({
    /** Order among the toolchains that fit a repository: the lowest is chosen first; then the first by name. */
    order: z.number().default(50),
    /** Facts of which one must hold for a repository of this toolchain. */
    any: z.array(factSchema).min(1),
    /** Facts that make a folder a project, whatever is above it, where one of these or of `members` holds. */
    own: z.array(factSchema).default([]),
    /** Facts of which one means that the folders below belong to this project. */
    members: z.array(factSchema).default([]),
    /** Toolchains that are not considered where this one fits. */
    insteadOf: z.array(word).default([]),
    /** Sources of the version or range: the first that holds counts. */
    version: z.array(z.strictObject(versionShape)).default([]),
    /** Requirements of the repository's own tools: the version must fit all of them. */
    requires: z.array(requirementSchema).default([]),
    name: z.array(factSchema).default([]),
  }),
  /** Rules by task name; the first of several that holds counts. */
  tasks: z
    .record(word, z.union([taskRuleSchema.transform((rule) => [rule]), z.array(taskRuleSchema).min(1)]))
    .default({}),
  layers: z.array(layerRuleSchema).default([]),
  /** Cases where `layers` cannot make an image that starts: the reason, and the advice. */
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
  /** Examples of optional keys, as comments in a first gbuild.yml. */
  examples: z.record(z.string(), z.unknown()).default({}),
  /**
   * Folders, by name at any depth, that its tools write and that do not belong in a commit: untracked files in them are
   * no change.
   */
  leftovers: z.array(z.string()).default([]),
  /** Names of files that its tools write when they are missing, and that a commit must hold. */
  lockFiles: z.array(z.string()).default([]),
  /** Programs that a runtime image lacks: a command that calls one of them is never its start command. */
  buildOnly: z.array(z.string()).default([]),
  /** Entrypoints of an image where the spec has none: the first that holds counts. */
  entrypoint: z.array(entrypointSchema).default([]),
  /** Facts that may hold the repository's address: the first that is an address counts. */
  origins: z.array(factSchema).default([]),
});

/** Schema of images/base/base.yml: the Debian bases of toolchains. */
export const baseSchema = z.strictObject({
  base: z.literal(1),
  suites: z.record(
    word,
    z.strictObject({
      /** Pulled where a registry has it; otherwise the base is made from the suite's packages. */
      reference: z.string(),
    }),
  ),
  /** Paths that no base keeps: logs, caches, the machine's identity. */
  volatile: z.array(z.string()),
});

export type RefusalRule = ToolchainData['refusals'][number];
export type ToolchainData = z.infer<typeof catalogToolchainSchema>;
export type BaseData = z.infer<typeof baseSchema>;
