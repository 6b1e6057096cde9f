import { nameOfPlatform } from '../oci/platform.ts';
import type { ImageConfig } from '../oci/spec.ts';
import type { ImageStart } from './start-fault.ts';

/** Reads the start of an image without another command. */
export function readImageStart(image: Pick<ImageConfig, 'config' | 'architecture' | 'os' | 'variant'>): ImageStart {
  const { Entrypoint = [], Cmd = [], User = '', WorkingDir = '', Env = [] } = image.config;
  const env = Object.fromEntries(Env.map((line) => [line.split('=', 1)[0] ?? '', line.slice(line.indexOf('=') + 1)]));
  const workdir = WorkingDir === '' ? '/' : WorkingDir;
  return { words: [...Entrypoint, ...Cmd], user: User, workdir, env, platform: nameOfPlatform(image) };
}
