import type { PublishedPort } from '../spec/types.ts';

/** Plan of one task's container, but for what only the engine and the machine can say. */
export interface PlannedTask {
  name: string;
  needs: string[];
  /** The command as the container gets it (exec form). */
  command: string[];
  /** Absolute, in the container. */
  workdir: string;
  env: Record<string, string>;
  /** Names of the caller's variables that pass; their values are in no plan. */
  passEnv: string[];
  /** Names of the secrets that it gets as files; their values are in no plan. */
  secrets: string[];
  ports: PublishedPort[];
  /** Names of the services that are there while it runs. */
  services: string[];
  /** Seconds. */
  timeout?: number;
  reports: string[];
  /** Globs of its test files. */
  split: string[];
  /** Test files of its shard, from its workdir; where they have been looked for. */
  files?: string[];
}
