import type { AnyTarget } from '../target.ts';
import { compose } from './compose/compose.ts';

/** Kinds of targets. A new one is a folder below targets/ and a row here. */
export const targets: readonly AnyTarget[] = [compose];

/** Finds the kind of target of this name. */
export function findTargetKind(kind: string): AnyTarget | undefined {
  return targets.find((target) => target.kind === kind);
}
