import { valid } from 'semver';
import type { Progress } from '../../reporter/progress.ts';
import type { AppContext } from '../session/context.ts';

/** `1.0.1` as `hello:1.0.1`, the repository around the caller asked for its name; any other text as it is. */
export async function nameRelease(text: string, request: AppContext & { progress: Progress }): Promise<string> {
  if (valid(text) !== text) return text;
  const { openWorkspace } = await import('../session/open-repository.ts');
  const { spec } = await openWorkspace(request, request.progress);
  return `${spec.name}:${text}`;
}
