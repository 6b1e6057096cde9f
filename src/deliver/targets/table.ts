import type { AnyTarget } from '../target.ts';
import { codedeploy } from './codedeploy/codedeploy.ts';
import { compose } from './compose/compose.ts';
import { nova } from './nova/nova.ts';

/** Kinds of targets. A new one is a folder below targets/ and a row here. */
export const targets: readonly AnyTarget[] = [codedeploy, compose, nova];

/** Finds the kind of target of this name. */
export function findTargetKind(kind: string): AnyTarget | undefined {
  return targets.find((target) => target.kind === kind);
}
