import { valid } from 'semver';
import type { AppContext } from '../session/context.ts';

/**
 * Returns `hello:1.0.1` for `1.0.1`, with the name of the repository around the caller. Returns any other text as it
 * is.
 */
export async function nameRelease(text: string, request: AppContext): Promise<string> {
  if (valid(text) !== text) return text;
  const { openWorkspace } = await import('../session/open-repository.ts');
  const { spec } = await openWorkspace(request);
  return `${spec.name}:${text}`;
}
