import type { RegistrySettings } from '../http/settings.ts';
import type { Connection } from './connection.ts';

/** Repository, and the settings of its requests. */
export interface RepositoryContext {
  connection: Connection;
  /** Path such as `team/app`. */
  path: string;
  settings: RegistrySettings;
  /** Scopes that a token must allow for reading, for writing and for removing. */
  scopes: { pull: string[]; push: string[]; remove: string[] };
}
