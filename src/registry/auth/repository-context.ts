import type { RegistrySettings } from '../http/settings.ts';
import type { Connection } from './connection.ts';

/** One repository, and what its requests are made with. */
export interface RepositoryContext {
  connection: Connection;
  /** `team/app`. */
  path: string;
  settings: RegistrySettings;
  /** For reading, for writing, for removing: what a token must allow. */
  scopes: { pull: string[]; push: string[]; remove: string[] };
}
