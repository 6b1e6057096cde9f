import { EngineBlindError } from '../../../engine/container/probe.ts';
import type { ContainerIO, ContainerResult, ContainerSpec, Engine } from '../../../engine/engine.ts';
import type { Host } from '../../../host.ts';
import { bindFixedFiles, putFixedFiles } from '../defaults/container-files.ts';
import type { PlannedContainer } from './container-plan.ts';

/**
 * Runs a planned container with its fixed files bound. Where the engine cannot see these files, they are copied into
 * the container.
 */
export function runPlanned(
  engine: Engine,
  host: Host,
  planned: PlannedContainer,
  io: ContainerIO,
): Promise<ContainerResult> {
  return withFixedFiles(host, planned, (spec) =>
    engine.runContainer(spec, { ...io, ...(planned.ready !== undefined && { ready: planned.ready }) }),
  );
}

/** Provides the fixed files for callers that start the container in another way. */
export async function withFixedFiles<T>(
  host: Host,
  { spec, fixedFiles, identity, isShared }: PlannedContainer,
  run: (spec: ContainerSpec) => Promise<T>,
): Promise<T> {
  const put = () => ({ ...spec, files: [...spec.files, ...putFixedFiles(fixedFiles, identity)] });
  if (!isShared) return run(put());
  const binds = bindFixedFiles(host, fixedFiles);
  try {
    return await run({ ...spec, mounts: [...spec.mounts, ...binds] });
  } catch (error) {
    const isUnseen = (hostDir: string) => error instanceof EngineBlindError && error.hostDir === hostDir;
    if (!binds.some((bind) => bind.type === 'bind' && isUnseen(bind.hostDir))) throw error;
    return run(put());
  }
}
