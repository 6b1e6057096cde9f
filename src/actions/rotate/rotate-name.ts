import { GbuildError } from '../../errors.ts';
import type { ListedChannel } from '../channel/list-channels.ts';
import { type ChannelContext, withChannels } from '../channel/open-channels.ts';
import { rebaseRelease } from '../release/rebase/rebase.ts';
import { findSuccessor, type JudgedRelease, judgeBase, listAll, type RotateScene } from './judge-bases.ts';
import { listInOrder, moveChannel } from './move-channels.ts';
import { nextVersion } from './next-version.ts';
import type { RotatedRelease } from './report.ts';
import { tryRelease } from './try-release.ts';

/** Rotates what the channels of one name hold. A failure of one release does not stop the others. */
export function rotateName(scene: RotateScene): Promise<RotatedRelease[]> {
  const { request, name } = scene;
  return withChannels({ ...request, name }, async (context) => {
    const channels = await listInOrder(context);
    const held = Map.groupBy(
      channels.filter(({ pointer }) => pointer !== undefined),
      ({ pointer }) => ('broken' in pointer! ? undefined : pointer!.version),
    );
    const releases: RotatedRelease[] = [];
    for (const [version, holders] of held) {
      const line = { name, version: version ?? '', channels: holders.map(({ channel }) => channel), moves: [] };
      try {
        releases.push(
          version === undefined ? refuseBroken(line, holders) : await rotateOne(scene, context, line, holders),
        );
      } catch (thrown) {
        request.stop.ask.throwIfAborted();
        if (!(thrown instanceof GbuildError) || thrown.code === 'bug') throw thrown;
        const { code, message, exitCode, suggestions } = thrown;
        releases.push({ ...line, state: 'failed', error: { code, message, exitCode, suggestions } });
      }
    }
    return releases;
  });
}

type Line = Pick<RotatedRelease, 'name' | 'version' | 'channels' | 'moves'>;

function refuseBroken(line: Line, holders: readonly ListedChannel[]): RotatedRelease {
  const broken = holders.flatMap(({ pointer }) =>
    pointer !== undefined && 'broken' in pointer ? [pointer.broken] : [],
  );
  const error = { code: 'release-refused', message: broken.join('; '), exitCode: 2, suggestions: [] };
  return { ...line, state: 'failed', error };
}

async function rotateOne(
  scene: RotateScene,
  context: ChannelContext,
  line: Line,
  holders: readonly ListedChannel[],
): Promise<RotatedRelease> {
  const { name, version } = line;
  const judged = await judgeBase(scene, version);
  if (judged === undefined) throw lostRelease(`${name}:${version}`);
  const base = judged.today?.reference;
  const known = { ...line, ...(base !== undefined && { base }) };
  if (judged.state !== 'due') return { ...known, state: judged.state };
  const all = await listAll(scene);
  const successor = await findSuccessor(scene, judged.release, judged.today!, all);
  const next = successor?.version ?? nextVersion(version, new Set(all.map((each) => each.version)));
  if (scene.request.dryRun) return { ...known, state: 'due', next };
  const bytesSent = successor === undefined ? await makeNext(scene, judged, next) : 0;
  const moves = [];
  for (const each of holders) moves.push(await moveChannel(context, each, { from: version, next }));
  return { ...known, state: 'rotated', next, made: successor === undefined, bytesSent, moves };
}

/** Releases on today's base, tried before it is named where that is asked. Returns the bytes sent to the registry. */
async function makeNext(scene: RotateScene, { release }: JudgedRelease, next: string): Promise<number> {
  const { request, name, repository } = scene;
  const { registry, keyFile, attest, smoke } = request;
  const { pushed } = await rebaseRelease({
    ...request,
    name,
    version: release.version,
    release: next,
    base: undefined,
    force: false,
    tags: [],
    push: repository !== undefined,
    registry,
    keyFile,
    attest,
    sentLayers: scene.sentLayers,
    ...(smoke && { tryIt: (engineId, config) => tryRelease(scene, `${name}:${next}`, engineId, config) }),
  });
  return pushed?.bytesSent ?? 0;
}

function lostRelease(reference: string): GbuildError {
  return new GbuildError(
    'release-refused',
    `${reference}, which a channel holds, is neither on this machine nor in the registry`,
    {
      suggestions: ['gbuild channel ls', `gbuild releases ${reference.slice(0, reference.lastIndexOf(':'))}`],
      facts: { reference },
    },
  );
}
