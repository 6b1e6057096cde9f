import type { Position } from '../../spec/types.ts';
import type { WorkspaceSession } from '../session/context.ts';

export type SpecPlace = Pick<WorkspaceSession, 'spec' | 'specFile'>;

/** Finds where gbuild.yml declares secrets: read only when a message names one, for a run that goes well reads no YAML. */
export async function locateSecrets({ spec, specFile }: SpecPlace): Promise<(name: string) => Position | undefined> {
  if (specFile === undefined) return () => undefined;
  const { readSpec } = await import('../../spec/read/read-spec.ts');
  // The file was found right before: each task that it names is there.
  const tasks = Object.values(spec.tasks).flatMap(({ needs }) => needs);
  const { locate } = readSpec(specFile, undefined, [...tasks, ...(spec.image.build ? [spec.image.build] : [])]);
  return (name) => locate(['secrets', name]);
}
