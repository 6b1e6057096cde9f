import type { Engine } from '../../engine/engine.ts';
import type { Host, Stop } from '../../host.ts';
import { formatDigest } from '../../reporter/format.ts';
import type { Progress } from '../../reporter/progress.ts';
import type { Lock } from '../../spec/lock/lock-types.ts';
import { describeChanges, readPackages } from '../../toolchain/image/contents.ts';
import type { MadeLock } from '../toolchain/make-lock.ts';

interface ChangesInput {
  engine: Engine;
  host: Host;
  progress: Progress;
  stop: Stop;
}

/**
 * Lists the changes of a new lock for a platform, a line each: version, tools, packages. Lists only the ids where none
 * of these differ.
 */
export async function listLockChanges(
  before: Lock | undefined,
  { lock, images, platform }: MadeLock,
  input: ChangesInput,
): Promise<string[]> {
  const [old, now] = [before?.toolchain, lock.toolchain];
  const [was, is] = [old?.platforms[platform], now.platforms[platform]];
  if (old === undefined || was === undefined || is === undefined) return [];
  const versions = describeChanges({ [old.name]: old.version }, { [now.name]: now.version });
  const tools = describeChanges(was.tools ?? {}, is.tools ?? {});
  const shipped = describeChanges(was.runtimePackages ?? {}, is.runtimePackages ?? {});
  const built = was.packages === is.packages ? [] : await listBuildPackages(was.build, images.build.reference, input);
  const lines = [
    ...new Set([...versions, ...tools]),
    ...shipped.map((line) => `shipped: ${line}`),
    ...built.map((line) => `to build in: ${line}`),
  ];
  if (lines.length > 0) return lines;
  return describeChanges(
    { build: short(was.build), runtime: short(was.runtime) },
    { build: short(is.build), runtime: short(is.runtime) },
  );
}

function short(id: string | undefined): string {
  return id === undefined ? 'none' : formatDigest(id);
}

/** The lock holds only a digest of the build packages: their names are known only while the old image exists. */
async function listBuildPackages(before: string, reference: string, input: ChangesInput): Promise<string[]> {
  if ((await input.engine.inspectImage(before)) === undefined) return ['other Debian packages'];
  return describeChanges(await readPackages(input, before), await readPackages(input, reference));
}
