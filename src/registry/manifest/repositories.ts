import { parseJsonObject } from '../../oci/json.ts';
import type { Connection } from '../auth/connection.ts';
import type { Answer } from '../http/requests.ts';
import { mostPages, nextPage, pageNotUnderstood } from './tags.ts';

/**
 * Lists the repositories of a registry over all pages (GET /v2/_catalog, of Docker's registry API). Registries that
 * serve everybody refuse it.
 */
export async function listRepositories(connection: Connection): Promise<string[]> {
  const what = 'list its repositories';
  const names: string[] = [];
  let at: string | URL | undefined = '_catalog';
  for (let page = 0; at !== undefined && page < mostPages; page += 1) {
    const request = { what, method: 'GET', at, scopes: ['registry:catalog:*'] } as const;
    const answer: Answer & { bytes: Buffer } = await connection.read(request, [200]);
    const { repositories } = (parseJsonObject(answer.bytes) ?? {}) as { repositories?: unknown };
    // Go writes an empty list as null.
    if (!Array.isArray(repositories) && repositories !== null) throw pageNotUnderstood(connection.registry, what);
    names.push(...(repositories ?? []).filter((name: unknown) => typeof name === 'string'));
    at = nextPage(connection.place(what), answer);
  }
  return names;
}
