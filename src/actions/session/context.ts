import type { Engine } from '../../engine/engine.ts';
import type { Host, Stop } from '../../host.ts';
import type { Progress } from '../../reporter/progress.ts';
import type { Lock } from '../../spec/lock/lock-types.ts';
import type { Spec } from '../../spec/types.ts';
import type { Assumption } from '../../spec/write/draft.ts';
import type { ToolchainDefaults } from '../../toolchain/detect/defaults.ts';
import type { ResolvedToolchain } from '../../toolchain/resolve/resolve.ts';

/** A repository as gbuild understands it, read without an engine and without a network. */
export interface WorkspaceSession {
  rootDir: string;
  spec: Spec;
  /** Undefined where the repository has none and was understood by its files. */
  specFile?: string;
  assumptions: Assumption[];
  lock?: Lock;
  /** The folder of the lock where that is, or will be, outside of the repository. */
  rememberedIn?: string;
  toolchain: ResolvedToolchain;
  defaults: ToolchainDefaults;
}

/** First parameter of every action: the caller, and where gbuild tells what it does. */
export interface AppContext {
  host: Host;
  /** Where gbuild itself is installed: images/ is its own toolchain catalog. */
  installDir: string;
  progress: Progress;
}

/** The same where a repository is built on an engine. */
export interface RepoContext extends AppContext {
  session: WorkspaceSession;
  engine: Engine;
  /** A word that no other command has. */
  runId: string;
  stop: Stop;
}
