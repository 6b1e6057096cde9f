import type { PublishedPort } from '../spec/types.ts';

/** Plan of one task's container, without the facts of engine and machine. */
export interface PlannedTask {
  name: string;
  needs: string[];
  /** Command of the container (exec form). */
  command: string[];
  /** Absolute path in the container. */
  workdir: string;
  env: Record<string, string>;
  /** Names of the caller's variables to pass; plans never hold their values. */
  passEnv: string[];
  /** Names of the secrets that it gets as files; plans never hold their values. */
  secrets: string[];
  ports: PublishedPort[];
  /** Names of the services that run meanwhile. */
  services: string[];
  /** Time limit in seconds. */
  timeout?: number;
  reports: string[];
  /** Globs of its test files. */
  split: string[];
  /** Test files of its shard, relative to its workdir; undefined where they were not searched. */
  files?: string[];
}
