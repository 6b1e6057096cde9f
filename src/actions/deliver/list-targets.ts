import type { AnyTarget } from '../../deliver/target.ts';
import { findTargetKind, targets } from '../../deliver/targets/table.ts';
import { GbuildError } from '../../errors.ts';
import type { AppContext } from '../session/context.ts';
import { findWorkspace } from '../session/find-workspace.ts';
import { chooseTarget } from './choose-target.ts';
import { readTemplate } from './read-template.ts';

/** Target that gbuild knows, or that gbuild.yml names. */
export interface ListedTarget {
  name: string;
  kind: string;
  summary: string;
  /** How its system gets the image. */
  takes: string;
  needs: readonly string[];
  /** Reason why this repository cannot deliver to it yet; undefined where it can. */
  missing?: string;
}

/** Implements `gbuild deliver --list`: the targets of gbuild.yml, then the kinds that it does not name. */
export async function listTargets(context: AppContext, kinds: readonly AnyTarget[] = targets): Promise<ListedTarget[]> {
  const session = await findWorkspace(context);
  const named = Object.keys(session?.spec.deliver.targets ?? {});
  const others = kinds.map(({ kind }) => kind).filter((kind) => !named.includes(kind));
  return [...named, ...others].map((name) => {
    const said = { spec: session?.spec, specFile: session?.specFile, kinds };
    const kindName = session?.spec.deliver.targets[name]?.kind ?? name;
    // Of a kind that there is not, choosing says what is meant.
    const { kind, summary, takes, needs } = findTargetKind(kindName, kinds) ?? chooseTarget(name, said).kind;
    const missing = findMissing(() => readTemplate(session?.rootDir, chooseTarget(name, said)));
    return { name, kind, summary, takes, needs, ...(missing !== undefined && { missing }) };
  });
}

function findMissing(read: () => unknown): string | undefined {
  try {
    read();
    return undefined;
  } catch (thrown) {
    if (thrown instanceof GbuildError) return thrown.message;
    throw thrown;
  }
}
