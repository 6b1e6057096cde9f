import { Document, isMap, isScalar } from 'yaml';
import { escapeLine } from '../../escape.ts';
import { parseSpec } from '../read/read-spec.ts';
import type { SpecInput } from '../schema/schema.ts';
import type { SpecFile } from '../types.ts';
import type { Assumption, SpecDraft } from './draft.ts';
import { type Section, sections } from './sections.ts';

const greeting = `# How gbuild builds, tests and releases this repository.
# Keys that are commented out show what could be said, not what is.
`;

/**
 * Writes gbuild.yml for a repository without one: explains each key and names each assumption. Pure; the result is
 * valid.
 */
export function writeInitialSpec({ assumptions, examples = {}, ...draft }: SpecDraft): string {
  const { tasks, ...rest } = draft;
  // Where there are no tasks, an example helps more than their absence.
  const input: SpecInput = { ...rest, gbuild: 1, ...(Object.keys(tasks ?? {}).length > 0 && { tasks }) };
  const texts = sections.map((section) =>
    formatSection({ ...section, example: examples[section.key] ?? section.example }, input[section.key], assumptions),
  );
  return [greeting, ...texts].join('\n');
}

/** Returns the draft as a spec, for a run without gbuild.yml: exactly as if it were written and read. */
export function parseDraft(draft: SpecDraft, fileName: string): SpecFile {
  return parseSpec(writeInitialSpec(draft), fileName);
}

function formatSection({ key, explain, example }: Section, value: unknown, assumptions: Assumption[]): string {
  const own = assumptions.filter((assumption) => assumption.key.split('.')[0] === key);
  const comment = [...explain, ...own.filter((assumption) => assumption.key === key).map(assumed)];
  const lines = comment.map((line) => `# ${line}\n`).join('');
  if (value !== undefined) return lines + formatValue(key, value, own);
  if (example === undefined) return lines;
  return lines + formatValue(key, example, []).replace(/^(?=.)/gm, '# ');
}

function formatValue(key: string, value: unknown, assumptions: Assumption[]): string {
  const document = new Document({ [key]: value }, { aliasDuplicateObjects: false });
  for (const assumption of assumptions) if (assumption.key !== key) commentOn(document, assumption);
  return document.toString({ lineWidth: 0, flowCollectionPadding: false });
}

/** Puts the assumption above its key, or above the nearest existing one. */
function commentOn(document: Document, assumption: Assumption): void {
  let node: unknown = document.contents;
  let target: { commentBefore?: string | null } | undefined;
  for (const name of assumption.key.split('.')) {
    if (!isMap(node)) break;
    const pair = node.items.find(({ key }) => isScalar(key) && key.value === name);
    if (pair === undefined) break;
    target = isScalar(pair.key) ? pair.key : target;
    node = pair.value;
  }
  if (target === undefined) return;
  target.commentBefore = [...(target.commentBefore?.split('\n') ?? []), ` ${assumed(assumption)}`].join('\n');
}

function assumed({ because }: Assumption): string {
  return `assumed: ${escapeLine(because.replace(/\s+/g, ' ').trim())}`;
}
