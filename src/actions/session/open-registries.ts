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
 * Opens image registries with the caller's settings: the host's CA roots and proxies, config.yml, and a trace for
 * DEBUG=gbuild:registry. Throws `config-invalid`.
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
