import { posix } from 'node:path';
import type { Host } from '../../host.ts';
import type { ImagePlan } from '../../plan/image-plan.ts';
import { findInnerCommand, findNamedFaults } from '../../start/find-faults.ts';
import { ImageFiles } from '../../start/image-files.ts';
import type { StartFault } from '../../start/start-fault.ts';
import { callsOneOf } from '../../toolchain/detect/start.ts';
import { findCommandPackage, findModulePurpose } from '../../workspace/node/node-command.ts';
import type { WorkspaceSession } from '../session/context.ts';
import { type CollectedRule, flattenRules } from './collect-layers.ts';
import { explainMissing } from './explain-missing.ts';

/** Warns of an image that cannot start, before it is built: its base and the tasks' files are not known yet. */
export async function foreseeStart(
  session: WorkspaceSession,
  plan: ImagePlan,
  { host, collected }: { host: Host; collected: CollectedRule[] },
): Promise<string[]> {
  const { toolchain, rootDir } = session;
  const { Entrypoint = [], Cmd = [], User = '', WorkingDir = '/' } = plan.config;
  const words = [...Entrypoint, ...Cmd];
  if (callsOneOf(words, toolchain.buildOnly))
    return [`calls a program that only the image to build in has (${toolchain.buildOnly.join(', ')})`];
  const [program = ''] = findInnerCommand(words);
  const isCommand = !program.includes('/') || /(?:^|\/)node_modules\/\.bin\/[^/]+$/.test(program);
  const owner = isCommand ? findCommandPackage(rootDir, posix.basename(program)) : undefined;
  if (owner?.isDevelopment === true)
    return [
      `${posix.basename(program)} is a command of ${owner.name}, a development dependency, which is not in the image`,
    ];
  const entries = flattenRules(collected);
  const start = { words, user: User, workdir: WorkingDir, env: {}, platform: '' };
  const faults = findNamedFaults(new ImageFiles(new Map(), entries), start).filter(
    ({ kind, name }) =>
      (kind === 'module' && findModulePurpose(rootDir, name) === 'development') ||
      (['file', 'settings'].includes(kind) && plan.layers.some(({ to }) => name.startsWith(`${to}/`))),
  );
  const foreseen = faults.map((fault) => foresee(fault, { session, env: host.env, plan, entries }));
  return (await Promise.all(foreseen)).flat();
}

/** Skips a file that a task may still make. */
async function foresee(fault: StartFault, input: Parameters<typeof explainMissing>[1]): Promise<string[]> {
  const { because, isToCome = false } = await explainMissing(fault, input);
  const { buildTask } = input.plan;
  if (isToCome && buildTask !== undefined && buildTask !== 'install') return [];
  return [[fault.what, ...because].join('; ')];
}
