import type { Document } from 'yaml';
import { applyChain, chainFrom, currentMajor, type MigrationTable, migrations } from '../read/migrations.ts';
import { parseSpec } from '../read/read-spec.ts';
import { decodeSource } from '../yaml/source.ts';
import { parseSyntax } from '../yaml/syntax.ts';
import { writeTextAtomic } from './atomic-write.ts';

export interface Migrated {
  text: string;
  changed: boolean;
  from: number;
  to: number;
  /** Summary of each migration, in order. */
  steps: string[];
}

/**
 * Rewrites a spec to the current major; comments, order and line ends stay. Throws `spec-invalid` as `parseSpec` does;
 * `knownTasks` is passed on to it.
 */
export function migrateSpec(
  text: string | Uint8Array,
  fileName?: string,
  table: MigrationTable = { current: currentMajor, migrations },
  knownTasks: readonly string[] = [],
): Migrated {
  const { major } = parseSpec(text, fileName, table, knownTasks);
  const { source } = decodeSource(text, fileName ?? '');
  const chain = chainFrom(major, table) ?? [];
  const same = typeof text === 'string' ? text : Buffer.from(text).toString();
  const unchanged = { text: same, changed: false, from: major, to: table.current, steps: [] };
  const document = parseSyntax(source).document;
  if (chain.length === 0 || document === undefined) return unchanged;
  applyChain(document, chain, table.current);
  return {
    ...unchanged,
    text: formatLike(source.text, document),
    changed: true,
    steps: chain.map((migration) => migration.summary),
  };
}

function formatLike(original: string, document: Document): string {
  const text = document.toString({ lineWidth: 0, flowCollectionPadding: false }).replace(/\r\n/g, '\n');
  return original.includes('\r\n') ? text.replaceAll('\n', '\r\n') : text;
}

/** Replaces the file atomically; `gbuild migrate` calls it with the migrated text. */
export function writeSpec(file: string, text: string): void {
  writeTextAtomic(file, text);
}
