import { GbuildError } from '../errors.ts';
import type { ReadyInput, ReadyRuntime } from './ready-toolchain.ts';

type LockedRequest = Omit<ReadyInput, 'frozen' | 'role' | 'renewed'>;

/** A release stands on the very runtime image that was locked, not on one made of packages that have moved on since. */
export async function assertLocked(request: LockedRequest, { runtime, platform }: ReadyRuntime): Promise<void> {
  const { session, engine, host, progress, stop } = request;
  const locked = session.lock?.toolchain.platforms[platform];
  if (locked?.runtime === runtime) return;
  const suggestions = [
    lockAnew,
    ...(locked === undefined
      ? []
      : ['or have the locked image on this engine: from a colleague or a registry that has it']),
  ];
  if (locked === undefined) {
    throw new GbuildError(
      'release-refused',
      `gbuild.lock has no entry for ${platform}, the platform of ${engine.endpoint.url}`,
      { suggestions, facts: { platform, actual: runtime } },
    );
  }
  const { describeChanges, readPackages } = await import('../toolchain/contents.ts');
  const { toolchain } = session;
  const packages = await readPackages({ engine, host, progress, stop }, toolchain.runtime ?? toolchain.build);
  const changes = locked.runtimePackages === undefined ? [] : describeChanges(locked.runtimePackages, packages);
  const shown = changes.slice(0, mostPackagesShown).map((change) => `  ${change}`);
  if (changes.length > shown.length) shown.push(`  and ${changes.length - shown.length} more`);
  throw new GbuildError(
    'release-refused',
    [
      `gbuild.lock names the runtime image ${locked.runtime}, but ${engine.endpoint.url} has ${runtime}: packages have moved on since the lock was written`,
      ...shown,
    ].join('\n'),
    { suggestions, facts: { platform, locked: locked.runtime, actual: runtime, changes } },
  );
}

const mostPackagesShown = 10;

const lockAnew = 'gbuild lock --update && git add gbuild.lock && git commit -m "Lock the toolchain anew"';

/**
 * Where a release brings a Java runtime of its own, that comes from the image to build in: this must hold the packages that
 * were locked, too.
 */
export async function assertLockedBuild(request: LockedRequest, { platform }: ReadyRuntime): Promise<void> {
  const { session, engine, host, progress, stop } = request;
  const { toolchain, spec, lock } = session;
  const locked = lock?.toolchain.platforms[platform];
  if (spec.image.jre === undefined || locked?.packages === undefined) return;
  const { describeChanges, packagesDigest, readPackages, readTools } = await import('../toolchain/contents.ts');
  const rim = { engine, host, progress, stop };
  const packages = packagesDigest(await readPackages(rim, toolchain.build));
  if (packages === locked.packages) return;
  const changes = describeChanges(locked.tools ?? {}, await readTools(rim, toolchain.build, toolchain.tools));
  throw new GbuildError(
    'release-refused',
    [
      `image.jre comes from ${toolchain.build}, and ${engine.endpoint.url} has it with other packages than gbuild.lock names: they have moved on since the lock was written`,
      ...changes.map((change) => `  ${change}`),
    ].join('\n'),
    { suggestions: [lockAnew], facts: { platform, locked: locked.packages, actual: packages, changes } },
  );
}
