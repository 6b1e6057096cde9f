import type { Host, Stop } from '../../host.ts';
import { openRegistries, type Registries } from '../../registry/registries.ts';
import type { Progress } from '../../reporter/progress.ts';
import { readHostTrust } from '../../toolchain/host/trust.ts';
import { readRequestTimeout } from './read-duration.ts';
import { readUserConfig } from './user-config.ts';

/** Runs work with image registries, and closes them. */
export async function withRegistries<T>(
  { host, stop, progress }: { host: Host; stop: Stop; progress: Progress },
  work: (registries: Registries) => Promise<T>,
): Promise<T> {
  const registries = await openCallerRegistries(host, stop, progress);
  try {
    return await work(registries);
  } finally {
    registries.close();
  }
}

/**
 * Image registries as the caller reaches them: with the host's own CA roots and proxies, what config.yml says of them, and a
 * trace for DEBUG=gbuild:registry. Throws `config-invalid`.
 */
async function openCallerRegistries(host: Host, stop: Stop, progress: Progress): Promise<Registries> {
  const { registries } = await readUserConfig(host);
  const insecure = Object.entries(registries).flatMap(([name, { insecure }]) => (insecure ? [name] : []));
  const stallSeconds = readRequestTimeout(host);
  const isTraced = /(^|,)gbuild:(\*|registry)/.test(host.env.DEBUG ?? '');
  return openRegistries({
    host,
    stop,
    readExtraRoots: () => readHostTrust(host).extraRoots,
    insecure,
    ...(stallSeconds && { settings: { stallSeconds } }),
    warn: (text) => progress.warn(text),
    ...(isTraced && { trace: (line: string) => progress.note(`gbuild:registry ${line}`) }),
  });
}
