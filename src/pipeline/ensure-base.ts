import type { Engine } from '../engine/engine.ts';
import type { Stop } from '../host.ts';
import type { Progress } from '../reporter/progress.ts';
import { nothing } from './read-base.ts';
import type { WorkspaceSession } from './workspace-session.ts';

interface EnsureBaseInput {
  session: WorkspaceSession;
  engine: Engine;
  progress: Progress;
  stop: Stop;
}

/** A base that the spec names itself is pulled when the engine lacks it; the toolchain's runtime is there, nothing needs no image. */
export async function ensureBase(
  reference: string,
  { session, engine, progress, stop }: EnsureBaseInput,
): Promise<void> {
  if (session.spec.image.base === 'auto' || reference === nothing) return;
  if ((await engine.inspectImage(reference)) !== undefined) return;
  await progress.step(`pulling the base ${reference}`, (step) =>
    engine.pullImage(reference, { onProgress: ({ layer, status }) => step.update(`${layer} ${status}`.trim()), stop }),
  );
}
