import type { Engine } from '../../engine/engine.ts';
import { dropStaging, loadImage } from '../../engine/transfer/load-image.ts';
import { GbuildError, isRegistryFailure } from '../../errors.ts';
import { ownerText } from '../../fs/process-owner.ts';
import { withTempDir } from '../../fs/temp-dir.ts';
import type { Host, Stop } from '../../host.ts';
import type { Image } from '../../oci/image/image.ts';
import { type PullOptions, pullImage, type RemoteImage, readRemote } from '../../registry/image/pull-image.ts';
import type { Repository } from '../../registry/repository.ts';
import { formatBytes, formatDigest } from '../../reporter/format.ts';
import type { Progress, Step } from '../../reporter/progress.ts';
import { idTag, splitName } from '../../toolchain/image/image-name.ts';
import type { EnsuredImage } from '../../toolchain/image/toolchain-context.ts';
import { withRegistries } from '../session/open-registries.ts';

/** Image of a toolchain that a lock names. */
export interface WantedImage {
  /** Reference that the engine gives it. */
  reference: string;
  id: string;
  /** Base image below it, whose layers the engine may have. */
  below: string | undefined;
}

export interface FetchInput {
  engine: Engine;
  host: Host;
  progress: Progress;
  stop: Stop;
  /** Registries in the order of asking. */
  registries: string[];
  /** Called with a line that says why a registry did not give the image. */
  onMiss(text: string): void;
}

/**
 * Fetches the image that a lock names from the first registry that has it. Undefined where none has. A registry that
 * does not answer is skipped with a warning. Other bytes are an error (`registry-failed`), and no image is named.
 */
export function fetchToolchain(wanted: WantedImage, input: FetchInput): Promise<EnsuredImage | undefined> {
  return withRegistries(input, async (opened) => {
    for (const registry of input.registries) {
      const { path } = splitName(wanted.reference);
      const remote = await findRemote(opened.repository({ registry, path }), wanted, input);
      if (remote !== undefined) return take(remote, wanted, input);
    }
    return undefined;
  });
}

async function findRemote(
  repository: Repository,
  { id }: WantedImage,
  { stop, progress, onMiss }: FetchInput,
): Promise<RemoteImage | undefined> {
  try {
    const remote = await readRemote(repository, idTag(id));
    if (remote === undefined) onMiss(`${repository.registry} does not have the locked one`);
    return remote;
  } catch (thrown) {
    stop.ask.throwIfAborted();
    if (!(thrown instanceof GbuildError)) throw thrown;
    const [first] = thrown.suggestions;
    onMiss(thrown.message);
    progress.warn(`${thrown.message}; going on without it${first === undefined ? '' : ` (try: ${first})`}`);
    return undefined;
  }
}

function take(remote: RemoteImage, wanted: WantedImage, input: FetchInput): Promise<EnsuredImage> {
  const { engine, host, progress, stop } = input;
  const { repository } = remote;
  const short = formatDigest(wanted.id);
  return progress.step(`pulling ${repository.name} (${short})`, (step) =>
    withTempDir(host, `${ownerText(engine.owner)}.pull-${short}`, async (tempDir) => {
      const image = await pull(remote, tempDir, step);
      stop.ask.throwIfAborted();
      assertLocked(image, repository, wanted);
      step.update('loading');
      return name(image, wanted, input);
    }),
  );
}

/** The registry has the image: a failure from here on is an error, because another image must not be made silently. */
async function pull(remote: RemoteImage, tempDir: string, step: Step): Promise<Image> {
  const onProgress: PullOptions['onProgress'] = ({ layer, received, size }) =>
    step.update(`${layer}: ${formatBytes(received)} of ${formatBytes(size)}`);
  try {
    return await pullImage(remote, { tempDir, onProgress });
  } catch (thrown) {
    if (!isRegistryFailure(thrown)) throw thrown;
    const { code, message, facts, suggestions } = thrown;
    throw new GbuildError(code, `${message}; nothing was tagged`, {
      cause: thrown,
      suggestions: [...suggestions, makeHere],
      facts,
    });
  }
}

const makeHere = 'gbuild toolchain build   # makes it here instead';

/**
 * Throws where the image is not the locked one. An engine uses the digest of the config or of the manifest as the id:
 * the lock names one of them.
 */
function assertLocked(image: Image, { name, registry }: Repository, { id }: WantedImage): void {
  if (image.id === id || image.manifestDigest === id) return;
  throw new GbuildError(
    'registry-failed',
    `${name}:${idTag(id)} is ${image.id}, but gbuild.lock names ${id}: somebody moved it; nothing was tagged`,
    {
      suggestions: [makeHere, 'gbuild toolchain push   # on a machine that has the locked one'],
      facts: { registry, locked: id, found: image.id },
    },
  );
}

async function name(
  image: Image,
  { reference, below }: WantedImage,
  { engine, stop }: FetchInput,
): Promise<EnsuredImage> {
  try {
    const { engineId } = await loadImage(engine, image, { repository: splitName(reference).path, below, stop });
    await engine.tagImage(engineId, reference);
    return { reference, id: image.id };
  } finally {
    await dropStaging(engine, image).catch(() => undefined);
  }
}
