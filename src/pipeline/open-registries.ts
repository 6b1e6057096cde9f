import type { Host, Stop } from '../host.ts';
import { openRegistries, type Registries } from '../registry/registries.ts';
import type { Progress } from '../reporter/progress.ts';
import { readHostTrust } from '../toolchain/trust.ts';
import { readUserConfig } from './user-config.ts';

/** Runs work with registries: trusted as this host trusts, insecure where the caller's config.yml says so. */
export async function withRegistries<T>(
  { host, stop, progress }: { host: Host; stop: Stop; progress: Progress },
  work: (registries: Registries) => Promise<T>,
): Promise<T> {
  const { registries: named } = await readUserConfig(host);
  const insecure = Object.entries(named).flatMap(([registry, { insecure }]) => (insecure ? [registry] : []));
  const isTraced = /(^|,)gbuild:(\*|registry)/.test(host.env.DEBUG ?? '');
  const trace = isTraced ? { trace: (line: string) => progress.note(`gbuild:registry ${line}`) } : {};
  const registries = openRegistries({ host, stop, extraRoots: readHostTrust(host).extraRoots, insecure, ...trace });
  try {
    return await work(registries);
  } finally {
    registries.close();
  }
}
