import type { Document } from 'yaml';
import { checkChannels } from '../check/check-channels.ts';
import { checkNames } from '../check/check-names.ts';
import { checkPorts } from '../check/check-ports.ts';
import { checkSecrets } from '../check/check-secrets.ts';
import { checkServices } from '../check/check-services.ts';
import { checkTasks } from '../check/check-tasks.ts';
import { type SpecOutput, specSchema } from '../schema/schema.ts';
import type { Mistake } from '../yaml/mistakes.ts';
import type { FileFormat } from '../yaml/parse-file.ts';
import type { Source } from '../yaml/source.ts';
import { findTree, type YamlTree } from '../yaml/tree.ts';
import { applyChain, chainFrom, type MigrationTable } from './migrations.ts';

/** Describes gbuild.yml for `parseFile`; the table is a parameter for tests of migrations. */
export function specFormat(table: MigrationTable, knownTasks: readonly string[]): FileFormat<SpecOutput> {
  return {
    code: 'spec-invalid',
    versionKey: 'gbuild',
    title: 'a mapping of the keys of gbuild.yml',
    suggestions: [],
    schema: specSchema,
    check: (tree, source) => [
      ...checkTasks(tree, source, knownTasks),
      ...checkNames(tree, source),
      ...checkSecrets(tree, source),
      ...checkPorts(tree, source),
      ...checkServices(tree, source),
      ...checkChannels(tree, source),
    ],
    upgrade: (document, tree, source) => upgradeSpec(document, tree, source, table),
  };
}

/** Returns the document's major; undefined where it has no valid one. */
export function majorOf(tree: YamlTree): number | undefined {
  const { value } = findTree(tree, ['gbuild']).tree;
  return typeof value === 'number' && Number.isSafeInteger(value) ? value : undefined;
}

function upgradeSpec(document: Document, tree: YamlTree, source: Source, table: MigrationTable): Mistake[] {
  const major = majorOf(tree);
  if (major === undefined || major === table.current) return [];
  if (major > table.current) return [newerMistake(major, tree, source, table.current)];
  const chain = chainFrom(major, table);
  if (chain !== undefined) applyChain(document, chain, table.current);
  return [];
}

function newerMistake(major: number, tree: YamlTree, source: Source, current: number): Mistake {
  const { from, to } = findTree(tree, ['gbuild']).tree;
  return source.mistakeAt(from, to, {
    path: ['gbuild'],
    expected: `a major this gbuild can read, up to ${current}`,
    found: String(major),
    hint: 'the file is made for a newer gbuild: upgrade yours',
  });
}
