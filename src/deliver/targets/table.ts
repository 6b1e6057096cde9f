import type { AnyTarget } from '../target.ts';
import { codedeploy } from './codedeploy/codedeploy.ts';
import { compose } from './compose/compose.ts';
import { ecs } from './ecs/ecs.ts';
import { elasticBeanstalk } from './elastic-beanstalk/elastic-beanstalk.ts';
import { helm } from './helm/helm.ts';
import { ionroller } from './ionroller/ionroller.ts';
import { kamal } from './kamal/kamal.ts';
import { kubernetes } from './kubernetes/kubernetes.ts';
import { lxc } from './lxc/lxc.ts';
import { nova } from './nova/nova.ts';
import { sundial } from './sundial/sundial.ts';
import { swarm } from './swarm/swarm.ts';

/** Kinds of targets. A new one is a folder below targets/ and a row here. */
export const targets: readonly AnyTarget[] = [
  codedeploy,
  compose,
  ecs,
  elasticBeanstalk,
  helm,
  ionroller,
  kamal,
  kubernetes,
  lxc,
  nova,
  sundial,
  swarm,
];

/** Finds the kind of target of this name. */
export function findTargetKind(kind: string, kinds: readonly AnyTarget[] = targets): AnyTarget | undefined {
  return kinds.find((target) => target.kind === kind);
}
