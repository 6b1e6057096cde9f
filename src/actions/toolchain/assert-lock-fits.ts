import { GbuildError } from '../../errors.ts';
import type { Progress } from '../../reporter/progress.ts';
import type { Lock } from '../../spec/lock/lock-types.ts';
import type { ResolvedToolchain } from '../../toolchain/resolve/resolve.ts';
import type { WorkspaceSession } from '../session/context.ts';
import { withoutRemembered } from '../session/remembered-lock.ts';

/**
 * How frozen gbuild.lock is. 'never': the lock follows the spec. 'if-locked' (CI): a lock that does not fit is an
 * error, a missing one is written. 'always': a missing lock is an error too.
 */
export type Frozen = 'never' | 'if-locked' | 'always';

interface LockCheck {
  session: WorkspaceSession;
  frozen: Frozen;
  progress: Progress;
}

/**
 * Throws in CI where the lock is for another request, or where the recipe changed: neither may be replaced silently.
 */
export async function assertLockFits({ session: opened, frozen, progress }: LockCheck): Promise<void> {
  const session = frozen === 'always' ? withoutRemembered(opened) : opened;
  const { toolchain, lock } = session;
  if (toolchain.lockState === 'fits' || (toolchain.lockState === 'none' && frozen !== 'always')) return;
  if (frozen !== 'never') return throwStale(session);
  progress.note(`gbuild.lock is written again: ${describeMismatch(toolchain, lock)}`);
}

/** Throws for a lock that does not fit, with the lines of both files that disagree. */
export async function throwStale(session: WorkspaceSession): Promise<never> {
  const { toolchain } = session;
  const places = await locateMismatch(session);
  throw new GbuildError('lock-stale', [describeStale(session), ...places.map((place) => `  ${place}`)].join('\n'), {
    suggestions: ['gbuild lock && git add gbuild.lock && git commit -m "Lock the toolchain"'],
    facts: { lockState: toolchain.lockState, request: toolchain.request, places },
  });
}

/** Locates the mismatch in the spec and in the lock, each as `file:line:column key`. */
async function locateMismatch({ rootDir, spec, specFile, toolchain }: WorkspaceSession): Promise<string[]> {
  if (toolchain.lockState === 'none') return [];
  const [{ readSpec }, { locateInLock }] = await Promise.all([
    import('../../spec/read/read-spec.ts'),
    import('../../spec/lock/lock.ts'),
  ]);
  const key = toolchain.lockState === 'recipe-changed' ? 'recipe' : 'request';
  // The tasks are already checked: they may need tasks that the toolchain provides.
  const needed = Object.values(spec.tasks).flatMap((task) => task.needs);
  const inSpec = specFile === undefined ? undefined : readSpec(specFile, undefined, needed).locate(['toolchain']);
  const inLock = locateInLock(rootDir, ['toolchain', key]);
  return [
    ...(inSpec && specFile ? [`${specFile}:${inSpec.line}:${inSpec.column} toolchain`] : []),
    ...(inLock ? [`${rootDir}/gbuild.lock:${inLock.line}:${inLock.column} toolchain.${key}`] : []),
  ];
}

/** Explains why the lock file does not fit. */
export function describeStale({
  rootDir,
  toolchain,
  lock,
}: Pick<WorkspaceSession, 'rootDir' | 'toolchain' | 'lock'>): string {
  const file = `${rootDir}/gbuild.lock`;
  return toolchain.lockState === 'none' ? `${file} is missing` : `${file}: ${describeMismatch(toolchain, lock)}`;
}

/** Explains a lock that does not fit, for a person. */
function describeMismatch({ lockState, request, name, version }: ResolvedToolchain, lock: Lock | undefined): string {
  if (lockState === 'none') return 'it is missing';
  if (lockState === 'recipe-changed') return `it was written for another recipe of ${name} ${version}`;
  const before = lock?.toolchain.request;
  if (before === request)
    return `it is for other options of ${request} than the spec and the repository's files ask for`;
  return `it is for "${before}", the spec asks for "${request}"`;
}
