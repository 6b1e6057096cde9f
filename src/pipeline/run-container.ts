import type { ContainerIO, ContainerResult, Engine } from '../engine/engine.ts';
import { GbuildError } from '../errors.ts';
import type { Host } from '../host.ts';
import { bindFixedFiles, putFixedFiles } from './fixed-files.ts';
import type { PlannedContainer } from './task-container.ts';

/** Runs a planned container with its fixed files bound; where the engine cannot see those, they are put into it. */
export async function runPlanned(
  engine: Engine,
  host: Host,
  { spec, fixedFiles, identity, isShared, turn }: PlannedContainer,
  io: ContainerIO,
): Promise<ContainerResult> {
  const put = () => ({ ...spec, files: [...spec.files, ...putFixedFiles(fixedFiles, identity)] });
  if (!isShared) return engine.runContainer(put(), { ...io, ...turn });
  const binds = bindFixedFiles(host, fixedFiles);
  try {
    return await engine.runContainer({ ...spec, mounts: [...spec.mounts, ...binds] }, io);
  } catch (error) {
    const isUnseen = error instanceof GbuildError && error.code === 'engine-blind';
    if (!isUnseen || !binds.some((bind) => bind.type === 'bind' && bind.hostDir === error.facts.hostDir)) throw error;
    return engine.runContainer(put(), io);
  }
}
