import type { OptionValue, ToolchainRequest } from '../../spec/types.ts';
import type { BaseEntry, CatalogEntry } from '../catalog/catalog.ts';
import type { RefusalRule } from '../catalog/catalog-schema.ts';
import type { ToolchainFolder } from '../catalog/folder.ts';
import type { Condition, EntrypointRule, Fact, LayerRule, TaskRule } from '../catalog/rule-schema.ts';
import type { HostFileRule } from '../host/npm-variables.ts';
import type { LockState } from './lock-state.ts';

import type { ResolvedPart } from './parts.ts';

export interface ToolchainCache {
  name: string;
  /** Absolute path in the container. */
  path: string;
  env: Record<string, string>;
  /** Conditions that must hold of a repository that has use for it. */
  when: Condition[];
  /** Conditions that must not hold. */
  unless: Condition[];
}

export interface CatalogSource {
  kind: 'catalog';
  entry: CatalogEntry;
  base: BaseEntry;
  /** The Debian suite that both images stand on. */
  suite: string;
  parts: ResolvedPart[];
  args: Record<string, string>;
  /** Debian packages of the runtime's root, the repository's own among them. */
  runtimePackages: string[];
  /** The Dockerfile's target of the image to ship on. */
  runtimeTarget: string;
}

/** How the images come about; only ensureToolchain looks inside. */
export type ToolchainSource =
  | CatalogSource
  | { kind: 'image'; reference: string }
  | { kind: 'folder'; folder: ToolchainFolder };

export interface ResolvedToolchain {
  kind: ToolchainRequest['kind'];
  name: string;
  /** As the spec says it. */
  request: string;
  /** Exact; for an image its tag or digest. */
  version: string;
  options: Record<string, OptionValue>;
  recipe: `sha256:${string}`;
  /** Reference of the image to build in. */
  build: string;
  /** Reference of the image to ship on; undefined: the one to build in is shipped on. */
  runtime?: string;
  caches: ToolchainCache[];
  /** For containers that build and test. */
  env: Record<string, string>;
  /** The caller's settings of its tools, for builds and runs. */
  hostFiles: HostFileRule[];
  /** Commands of the image to build in that print a tool's version. */
  tools: Record<string, string>;
  /** Java keystores in its images, without a leading '/'. */
  keystores: string[];
  /** Default tasks with their conditions: `readDefaults` asks the repository. */
  tasks: Record<string, TaskRule[]>;
  layers: LayerRule[];
  /** Where the image has a Java runtime of its own: the layers of that, below all others. */
  jreLayers: LayerRule[];
  entrypoint: EntrypointRule[];
  refusals: RefusalRule[];
  origins: Fact[];
  /** Programs that only the image to build in has. */
  buildOnly: string[];
  /** Folders, by name, in which untracked files are no change of the tree. */
  leftovers: string[];
  /** Names of files that its tools write and a commit has to hold. */
  lockFiles: string[];
  lockState: LockState;
  source: ToolchainSource;
}

/** A resolution before it is held against a lock. */
export type Unlocked = Omit<ResolvedToolchain, 'lockState'>;

/** Facts about an image or a folder, which says nothing of itself. */
export const nothingKnown = {
  options: {},
  caches: [],
  env: {},
  hostFiles: [],
  keystores: [],
  tools: {},
  tasks: {},
  layers: [],
  jreLayers: [],
  entrypoint: [],
  refusals: [],
  origins: [],
  buildOnly: [],
  leftovers: [],
  lockFiles: [],
};
