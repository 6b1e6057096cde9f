import type { Position } from '../../spec/types.ts';
import type { WorkspaceSession } from '../session/context.ts';

export type SpecPlace = Pick<WorkspaceSession, 'spec' | 'specFile'>;

/** Locates secrets in gbuild.yml. The file is read only when a message names one: a successful run reads no YAML. */
export async function locateSecrets({ spec, specFile }: SpecPlace): Promise<(name: string) => Position | undefined> {
  if (specFile === undefined) return () => undefined;
  const { readSpec } = await import('../../spec/read/read-spec.ts');
  // The file was valid a moment ago: each task that it names exists.
  const tasks = Object.values(spec.tasks).flatMap(({ needs }) => needs);
  const { locate } = readSpec(specFile, undefined, [...tasks, ...(spec.image.build ? [spec.image.build] : [])]);
  return (name) => locate(['secrets', name]);
}
