import type { AnyTarget } from '../../deliver/target.ts';
import { findTargetKind, targets } from '../../deliver/targets/table.ts';
import { GbuildError } from '../../errors.ts';
import { readSpec } from '../../spec/read/read-spec.ts';
import type { DeliverTargetSpec, PathKey, Spec } from '../../spec/types.ts';
import { suggest } from '../../spec/yaml/suggest.ts';

/** Target that was chosen: its name, its kind, and its checked options. */
export interface ChosenTarget {
  name: string;
  kind: AnyTarget;
  options: unknown;
  /** Path in the repository, where gbuild.yml or the kind names one. */
  template?: { path: string; isNamed: boolean };
}

/** Spec of the caller's repository and its file; a command outside of a repository has neither. */
export interface DeliverySpec {
  spec: Spec | undefined;
  specFile: string | undefined;
  /** Kinds of targets; by default those of the table. */
  kinds?: readonly AnyTarget[];
}

/** Chooses the target of gbuild.yml with this name, else the kind of this name. @throws GbuildError `usage`, `spec-invalid` */
export function chooseTarget(name: string, { spec, specFile, kinds = targets }: DeliverySpec): ChosenTarget {
  const said = spec?.deliver.targets[name];
  const kindName = said?.kind ?? name;
  const kind = findTargetKind(kindName, kinds);
  if (kind === undefined) {
    if (said === undefined) throw noTarget(name, spec, kinds);
    const known = kinds.map((each) => each.kind);
    const meant = suggest(kindName, known);
    throw invalid(
      specFile,
      ['deliver', 'targets', name, 'kind'],
      `there is no kind of target ${JSON.stringify(kindName)}`,
      [meant === undefined ? `the kinds are ${known.join(', ')}` : `did you mean ${meant}?`, 'gbuild deliver --list'],
    );
  }
  const template = said?.template ?? kind.template.byDefault;
  return {
    name,
    kind,
    options: parseOptions(name, kind, said, specFile),
    ...(template !== undefined && { template: { path: template, isNamed: said?.template !== undefined } }),
  };
}

function parseOptions(
  name: string,
  kind: AnyTarget,
  said: DeliverTargetSpec | undefined,
  specFile: string | undefined,
): unknown {
  const parsed = kind.options.safeParse(said?.options ?? {});
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  const unknown = issue.code === 'unrecognized_keys' ? issue.keys.slice(0, 1) : [];
  const path = ['deliver', 'targets', name, 'options', ...issue.path.map(toKey), ...unknown];
  const known = Object.keys(kind.options.shape);
  const meant = unknown[0] === undefined ? undefined : suggest(unknown[0], known);
  const hint =
    meant === undefined ? `options of ${kind.kind}: ${known.join(', ') || 'none'}` : `did you mean ${meant}?`;
  throw invalid(specFile, path, issue.message, [hint]);
}

function toKey(key: PropertyKey): PathKey {
  return typeof key === 'symbol' ? String(key) : key;
}

function invalid(
  specFile: string | undefined,
  path: readonly PathKey[],
  message: string,
  suggestions: string[],
): GbuildError {
  const at = specFile === undefined ? undefined : locate(specFile, path);
  const place = at === undefined ? 'gbuild.yml' : `${specFile}:${at.line}:${at.column}`;
  return new GbuildError('spec-invalid', `${place} ${path.join('.')}: ${message}`, {
    suggestions,
    facts: { file: specFile, path, ...at },
  });
}

/** Finds the value, or the nearest one above it. */
function locate(specFile: string, path: readonly PathKey[]) {
  const { locate: find } = readSpec(specFile);
  for (let depth = path.length; depth > 0; depth -= 1) {
    const found = find(path.slice(0, depth));
    if (found !== undefined) return found;
  }
  return undefined;
}

function noTarget(name: string, spec: Spec | undefined, kinds: readonly AnyTarget[]): GbuildError {
  const known = [...Object.keys(spec?.deliver.targets ?? {}), ...kinds.map(({ kind }) => kind)];
  const meant = suggest(name, known);
  return new GbuildError('usage', `there is no target ${JSON.stringify(name)}`, {
    suggestions: [
      ...(meant === undefined ? [] : [`gbuild deliver ${meant}`]),
      'gbuild deliver --list   # what there is, and what each needs',
    ],
    facts: { target: name, known },
  });
}
