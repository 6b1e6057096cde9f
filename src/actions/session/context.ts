import type { Engine } from '../../engine/engine.ts';
import type { Host, Stop } from '../../host.ts';
import type { Progress } from '../../reporter/progress.ts';
import type { Lock } from '../../spec/lock/lock-types.ts';
import type { Spec } from '../../spec/types.ts';
import type { Assumption } from '../../spec/write/draft.ts';
import type { ToolchainDefaults } from '../../toolchain/detect/defaults.ts';
import type { ResolvedToolchain } from '../../toolchain/resolve/resolve.ts';

/** Repository as gbuild reads it, without an engine and without a network. */
export interface WorkspaceSession {
  rootDir: string;
  spec: Spec;
  /** Undefined where the repository has no spec and its files were detected. */
  specFile?: string;
  assumptions: Assumption[];
  lock?: Lock;
  /** Folder of the lock, where the lock is outside of the repository. */
  rememberedIn?: string;
  toolchain: ResolvedToolchain;
  defaults: ToolchainDefaults;
}

/** First parameter of every action: the caller's machine, and the progress output. */
export interface AppContext {
  host: Host;
  /** Folder of gbuild's installation: its images/ is the shipped toolchain catalog. */
  installDir: string;
  progress: Progress;
}

/** Context with a repository and the engine that builds it. */
export interface RepoContext extends AppContext {
  session: WorkspaceSession;
  engine: Engine;
  /** Word that no other command uses. */
  runId: string;
  stop: Stop;
}
