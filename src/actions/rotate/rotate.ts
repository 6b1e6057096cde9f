import { GbuildError } from '../../errors.ts';
import { findWorkspace } from '../session/find-workspace.ts';
import { withRegistries } from '../session/open-registries.ts';
import { parseRegistry } from '../session/registry-name.ts';
import { openStore } from '../store/store.ts';
import type { RotatedRelease, RotateReport } from './report.ts';
import type { RotateRequest } from './request.ts';
import { rotateName } from './rotate-name.ts';

/**
 * Implements `gbuild rotate`: every release on a channel whose base has moved is put on the base of today, released as
 * the next version, and put on the same channels by their rules.
 */
export async function rotateReleases(request: RotateRequest): Promise<RotateReport> {
  const session = await findWorkspace(request);
  const said = request.registry ?? (request.host.env.GBUILD_REGISTRY || session?.spec.registry);
  const registry = said === undefined ? undefined : parseRegistry(said);
  const store = await openStore(request.host);
  return withRegistries(request, async (registries) => {
    const own = session === undefined ? [] : [session.spec.name];
    const asked = request.names.length > 0 ? request.names : own;
    const names = asked.length > 0 ? asked : await listNames(registry, (host) => registries.listRepositories(host));
    const releases: RotatedRelease[] = [];
    const sentLayers = new Map();
    for (const name of names) {
      const repository = registry === undefined ? undefined : registries.repository({ registry, path: name });
      const scene = {
        request: { ...request, registry },
        name,
        store,
        repository,
        sentLayers,
        session: session?.spec.name === name ? session : undefined,
      };
      releases.push(...(await rotateName(scene)));
    }
    return { releases };
  });
}

function listNames(registry: string | undefined, list: (registry: string) => Promise<string[]>): Promise<string[]> {
  if (registry !== undefined) return list(registry);
  throw new GbuildError('usage', 'nothing says what to rotate: there is no repository here, and no registry is named', {
    suggestions: ['gbuild rotate acme/hello', 'gbuild rotate --registry registry.example.com   # all that it lists'],
  });
}
