import type { Engine } from '../../engine/engine.ts';
import { GbuildError } from '../../errors.ts';
import { escapeLine } from '../../escape.ts';
import type { Host, Stop } from '../../host.ts';
import type { Progress } from '../../reporter/progress.ts';
import type { WorkspaceSession } from '../session/context.ts';
import type { ReadyRuntime } from '../toolchain/ensure-ready.ts';

interface AssertInput {
  session: WorkspaceSession;
  engine: Engine;
  host: Host;
  progress: Progress;
  stop: Stop;
}

const mostPackagesShown = 10;
const lockAnew = 'gbuild lock --update && git add gbuild.lock && git commit -m "Lock the toolchain again"';

/** Asserts that the runtime image is the locked one. An image made of newer packages is refused. */
export async function assertLockedRuntime(
  input: AssertInput,
  { runtime, platform, misses }: ReadyRuntime,
): Promise<void> {
  const { session, engine } = input;
  const locked = session.lock?.toolchain.platforms[platform];
  if (locked?.runtime === runtime) return;
  const suggestions = [lockAnew, ...(locked === undefined ? [] : [howToGet(misses)])];
  if (locked === undefined) {
    throw new GbuildError(
      'release-refused',
      `gbuild.lock has no entry for ${platform}, the platform of ${engine.endpoint.url}`,
      { suggestions, facts: { platform, actual: runtime } },
    );
  }
  const changes = await listChanges(input, locked.runtimePackages);
  const shown = changes.slice(0, mostPackagesShown);
  if (changes.length > shown.length) shown.push(`and ${changes.length - shown.length} more`);
  throw new GbuildError(
    'release-refused',
    [
      `gbuild.lock names the runtime image ${locked.runtime}, but ${engine.endpoint.url} has ${runtime}: packages have changed since the lock was written`,
      ...[...shown, ...misses].map((line) => `  ${escapeLine(line)}`),
    ].join('\n'),
    { suggestions, facts: { platform, locked: locked.runtime, actual: runtime, changes, misses } },
  );
}

function howToGet(misses: readonly string[]): string {
  return misses.length === 0
    ? 'or have the locked image on this engine: from a colleague or a registry that has it'
    : 'or push the locked one from a machine that has it: gbuild toolchain push';
}

async function listChanges(
  { session, engine, host, progress, stop }: AssertInput,
  before: Record<string, string> | undefined,
): Promise<string[]> {
  if (before === undefined) return [];
  const { describeChanges, readPackages } = await import('../../toolchain/image/contents.ts');
  const { toolchain } = session;
  return describeChanges(
    before,
    await readPackages({ engine, host, progress, stop }, toolchain.runtime ?? toolchain.build),
  );
}

/**
 * Asserts the locked packages of the build image. A release that ships its own Java runtime copies it from the build
 * image.
 */
export async function assertLockedBuild(request: AssertInput, { platform }: ReadyRuntime): Promise<void> {
  const { session, engine, host, progress, stop } = request;
  const { toolchain, spec, lock } = session;
  const locked = lock?.toolchain.platforms[platform];
  if (spec.image.jre === undefined || locked?.packages === undefined) return;
  const { describeChanges, packagesDigest, readPackages, readTools } = await import(
    '../../toolchain/image/contents.ts'
  );
  const context = { engine, host, progress, stop };
  const packages = packagesDigest(await readPackages(context, toolchain.build));
  if (packages === locked.packages) return;
  const changes = describeChanges(locked.tools ?? {}, await readTools(context, toolchain.build, toolchain.tools));
  throw new GbuildError(
    'release-refused',
    [
      `image.jre comes from ${toolchain.build}, and ${engine.endpoint.url} has it with other packages than gbuild.lock names: they have changed since the lock was written`,
      ...changes.map((change) => `  ${escapeLine(change)}`),
    ].join('\n'),
    { suggestions: [lockAnew], facts: { platform, locked: locked.packages, actual: packages, changes } },
  );
}
