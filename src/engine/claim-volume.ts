import { GbuildError } from '../errors.ts';
import { removeContainer } from './container.ts';
import { readText, readTextMap } from './json.ts';
import type { ListedPath } from './listing.ts';
import { type Owner, ownerIsDead, parseOwner } from './owner.ts';
import { ownerLabel } from './sweep.ts';
import { type HolderSpec, VolumeHolder } from './volume-holder.ts';
import type { Wire } from './wire.ts';

export interface ClaimedVolume {
  holder: VolumeHolder;
  /** What was in the volume when it was claimed. */
  paths: ListedPath[];
}

const mostVolumes = 50;

/**
 * Claims the volume of that name, or where another run that lives works on it the next one (`name-2`, `name-3`): nobody waits,
 * and two runs at once never meet. What dead ones left in the way, running or not, is removed first.
 *
 * @throws GbuildError `engine-failed`
 */
export async function claimVolume(
  wire: Wire,
  spec: HolderSpec,
  self: Owner,
  signal: AbortSignal,
): Promise<ClaimedVolume> {
  for (let number = 1; number <= mostVolumes; number += 1) {
    const name = number === 1 ? spec.name : `${spec.name}-${number}`;
    if (await isInUse(wire, name, self)) continue;
    const holder = new VolumeHolder(wire, { ...spec, name });
    try {
      return { holder, paths: await holder.list(signal) };
    } catch (thrown) {
      await holder.close().catch(() => {});
      if (!isTaken(thrown) && !(await isInUse(wire, name, self))) throw thrown;
    }
  }
  throw new GbuildError('engine-failed', `${mostVolumes} runs work on ${spec.name} at once`, {
    suggestions: ['gbuild clean', 'wait for some of them to end'],
    facts: { volume: spec.name },
  });
}

/** Somebody was quicker, and may not be listed yet: the engine keeps a name from the moment it is asked for. */
function isTaken(thrown: unknown): boolean {
  return thrown instanceof GbuildError && thrown.facts.status === 409;
}

/** Containers that have the volume; those of dead owners go. */
async function isInUse(wire: Wire, volume: string, self: Owner): Promise<boolean> {
  const query = { all: true, filters: JSON.stringify({ volume: [volume] }) };
  const { json } = await wire.call({ what: 'list containers', method: 'GET', path: '/containers/json', query });
  const containers = Array.isArray(json) ? (json as unknown[]) : [];
  let inUse = false;
  for (const each of containers) {
    const owner = parseOwner(readTextMap(each, 'Labels')[ownerLabel] ?? '');
    if (owner === undefined || !ownerIsDead(owner, self)) inUse = true;
    else await removeContainer(wire, readText(each, 'Id') ?? '', { lost: false });
  }
  return inUse;
}
