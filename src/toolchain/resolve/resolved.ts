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
  /** Conditions that must hold for a repository that uses it. */
  when: Condition[];
  /** Conditions of which none may hold. */
  unless: Condition[];
}

export interface CatalogSource {
  kind: 'catalog';
  entry: CatalogEntry;
  base: BaseEntry;
  /** Debian suite of both images. */
  suite: string;
  parts: ResolvedPart[];
  args: Record<string, string>;
  /** Debian packages of the runtime's base, including the repository's own. */
  runtimePackages: string[];
  /** Target of the runtime image in the Dockerfile. */
  runtimeTarget: string;
}

/** Source of the images; only ensureToolchain reads it. */
export type ToolchainSource =
  | CatalogSource
  | { kind: 'image'; reference: string }
  | { kind: 'folder'; folder: ToolchainFolder };

export interface ResolvedToolchain {
  kind: ToolchainRequest['kind'];
  name: string;
  /** Request as the spec has it. */
  request: string;
  /** Exact version; for an image its tag or digest. */
  version: string;
  options: Record<string, OptionValue>;
  recipe: `sha256:${string}`;
  /** Reference of the build image. */
  build: string;
  /** Reference of the runtime image; undefined where the build image is the runtime too. */
  runtime?: string;
  caches: ToolchainCache[];
  /** Variables of containers that build and test. */
  env: Record<string, string>;
  /** Settings of the caller's tools, for builds and runs. */
  hostFiles: HostFileRule[];
  /** Commands of the build image that print a tool's version. */
  tools: Record<string, string>;
  /** Java keystores in its images, without a leading '/'. */
  keystores: string[];
  /** Default tasks with their conditions: `readDefaults` asks the repository. */
  tasks: Record<string, TaskRule[]>;
  layers: LayerRule[];
  /** Layers of the image's own Java runtime, below all others. */
  jreLayers: LayerRule[];
  entrypoint: EntrypointRule[];
  refusals: RefusalRule[];
  origins: Fact[];
  /** Programs that only the build image has. */
  buildOnly: string[];
  /** Names of folders in which untracked files are no change of the tree. */
  leftovers: string[];
  /** Names of files that its tools write and that a commit must hold. */
  lockFiles: string[];
  lockState: LockState;
  source: ToolchainSource;
}

/** Resolution before it is compared with a lock. */
export type Unlocked = Omit<ResolvedToolchain, 'lockState'>;

/** Facts of an image or a folder, which declares none. */
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
