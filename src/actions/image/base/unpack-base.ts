import { loadWhole } from '../../../engine/transfer/load-attempts.ts';
import { GbuildError, messageOf } from '../../../errors.ts';
import { compressionOf } from '../../../oci/compression/unpack.ts';
import { readImage } from '../../../oci/layout/copy.ts';
import { splitPlatform } from '../../../oci/platform.ts';
import { parseReference } from '../../../oci/reference.ts';
import { type RemoteImage, readRemote } from '../../../registry/image/pull-image.ts';
import type { Registries } from '../../../registry/registries.ts';
import { withRegistries } from '../../session/open-registries.ts';
import { choosePlatform } from '../../store/choose-platform.ts';
import { keepBase } from './keep-base.ts';
import type { ReadBaseInput } from './read-base.ts';

/**
 * Loads a base with zstd layers, unpacked, under the name `tag` into an engine that could not pull it: Docker before 23
 * reads no zstd. Returns false for a base without such layers and for one that gbuild cannot reach: then the engine's
 * own reason says more.
 */
export async function unpackBase(
  reference: string,
  tag: string,
  refusal: unknown,
  input: ReadBaseInput,
): Promise<boolean> {
  const { engine, store, progress, stop } = input;
  return withRegistries(input, async (registries) => {
    const remote = await findRemote(reference, registries, input).catch((thrown: unknown) => {
      stop.ask.throwIfAborted();
      if (thrown instanceof GbuildError) return undefined;
      throw thrown;
    });
    const isZstd = remote?.manifest.layers.some(({ mediaType }) => compressionOf(mediaType) === 'zstd');
    if (remote === undefined || !isZstd) return false;
    progress.note(`${messageOf(refusal)}; it has zstd layers, which gbuild unpacks for this engine`);
    const title = `copying the base ${reference} to the release store`;
    const { manifestDigest } = await keepBase(remote, { id: remote.manifest.config.digest, title }, input);
    const image = await readImage(store, manifestDigest);
    await progress.step(`loading the base ${reference} unpacked`, () =>
      loadWhole(engine, image, { tag, attempts: [image.layers], stop }),
    );
    return true;
  });
}

async function findRemote(
  reference: string,
  registries: Registries,
  { engine }: ReadBaseInput,
): Promise<RemoteImage | undefined> {
  const { registry = 'docker.io', repository: path, tag = 'latest', digest } = parseReference(reference);
  const repository = registries.repository({ registry, path });
  const { platform } = await engine.info();
  const found = await choosePlatform(repository, digest ?? tag, splitPlatform(platform));
  return found && readRemote(repository, found.chosen);
}
