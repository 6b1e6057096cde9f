import { isRegistryFailure } from '../../errors.ts';
import type { Host, Stop } from '../../host.ts';
import type { Repository } from '../../registry/repository.ts';
import type { Progress } from '../../reporter/progress.ts';
import type { WorkspaceSession } from './context.ts';
import { withRegistries } from './open-registries.ts';
import { parseRegistry } from './registry-name.ts';

/** Registry, and the function that opens a repository of it. */
export interface NamedRegistry {
  registry: string;
  open: (path: string) => Repository;
}

export interface RegistryRequest {
  host: Host;
  progress: Progress;
  stop: Stop;
  /** Registry from the command line. */
  registry: string | undefined;
}

/**
 * Runs work with the registry that command line, environment or gbuild.yml names. The work gets none where none is
 * named. A registry that does not answer is a warning, unless the command line names it.
 */
export async function withNamedRegistry<T>(
  request: RegistryRequest,
  session: WorkspaceSession | undefined,
  read: (named: NamedRegistry | undefined) => Promise<T>,
): Promise<T> {
  const said = request.registry ?? (request.host.env.GBUILD_REGISTRY || session?.spec.registry);
  if (said === undefined) return read(undefined);
  const registry = parseRegistry(said);
  try {
    return await withRegistries(request, (registries) =>
      read({ registry, open: (path) => registries.repository({ registry, path }) }),
    );
  } catch (thrown) {
    if (request.registry !== undefined || !isRegistryFailure(thrown)) throw thrown;
    request.progress.warn(`${thrown.message}; only the releases of this machine are listed`);
    return read(undefined);
  }
}
