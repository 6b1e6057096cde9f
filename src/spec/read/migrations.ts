import type { Document } from 'yaml';

/** How a spec of one major becomes one of the next, on the document itself: comments and order stay. */
export interface Migration {
  from: number;
  /** Summary for a person: `"script" is now "run"`. */
  summary: string;
  apply(document: Document): void;
}

/** The major this gbuild writes; it reads every one that has a chain of migrations up to it. */
export const currentMajor = 1;

/** Empty while there is one major. */
export const migrations: readonly Migration[] = [];

export interface MigrationTable {
  current: number;
  migrations: readonly Migration[];
}

/** The migrations from a major to the current one, in order; undefined when there is no way. */
export function chainFrom(major: number, { current, migrations }: MigrationTable): Migration[] | undefined {
  const chain: Migration[] = [];
  for (let at = major; at < current; at++) {
    const next = migrations.find((migration) => migration.from === at);
    if (next === undefined) return undefined;
    chain.push(next);
  }
  return chain;
}

/** Applies a chain and writes the new major; the document then is one of the current format. */
export function applyChain(document: Document, chain: readonly Migration[], current: number): void {
  for (const migration of chain) migration.apply(document);
  document.set('gbuild', current);
}
