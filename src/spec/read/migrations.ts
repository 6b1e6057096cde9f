import type { Document } from 'yaml';

/** Migration of a spec to the next major, on the document itself: comments and order stay. */
export interface Migration {
  from: number;
  /** Summary for a person: `"script" is now "run"`. */
  summary: string;
  apply(document: Document): void;
}

/** Major version that this gbuild writes. It reads every major with a chain of migrations up to it. */
export const currentMajor = 1;

/** Migrations by their major; empty while there is only one. */
export const migrations: readonly Migration[] = [];

export interface MigrationTable {
  current: number;
  migrations: readonly Migration[];
}

/** Returns the migrations from a major to the current one, in order; undefined where the chain is broken. */
export function chainFrom(major: number, { current, migrations }: MigrationTable): Migration[] | undefined {
  const chain: Migration[] = [];
  for (let at = major; at < current; at++) {
    const next = migrations.find((migration) => migration.from === at);
    if (next === undefined) return undefined;
    chain.push(next);
  }
  return chain;
}

/** Applies a chain and writes the new major; the document then has the current format. */
export function applyChain(document: Document, chain: readonly Migration[], current: number): void {
  for (const migration of chain) migration.apply(document);
  document.set('gbuild', current);
}
