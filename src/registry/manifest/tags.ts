import { GbuildError } from '../../errors.ts';
import { parseJsonObject } from '../../oci/json.ts';
import type { RepositoryContext } from '../auth/repository-context.ts';
import type { Place } from '../http/failures.ts';
import { resolveAddress } from '../http/pointed-address.ts';
import type { Answer } from '../http/requests.ts';

/** Number of pages above which the registry's links form a circle. */
export const mostPages = 10_000;

/** Lists tags over all pages ("Listing Tags" of the distribution-spec). */
export async function listTags({ connection, path, scopes }: RepositoryContext): Promise<string[]> {
  const what = `list the tags of ${path}`;
  const tags: string[] = [];
  let at: string | URL | undefined = `${path}/tags/list`;
  for (let page = 0; at !== undefined && page < mostPages; page += 1) {
    const answer: Answer & { bytes: Buffer } = await connection.read(
      { what, method: 'GET', at, scopes: scopes.pull },
      [200, 404],
    );
    if (answer.status === 404) return tags;
    const { tags: list } = (parseJsonObject(answer.bytes) ?? {}) as { tags?: unknown };
    // Go writes an empty list as null.
    if (!Array.isArray(list) && list !== null) throw pageNotUnderstood(connection.registry, what);
    tags.push(...(list ?? []).filter((tag: unknown) => typeof tag === 'string'));
    at = nextPage(connection.place(what), answer);
  }
  return tags;
}

/** Returns the address in a Link header with the relation "next" (RFC 8288). */
export function nextPage(place: Place, { headers, url }: Pick<Answer, 'headers' | 'url'>): URL | undefined {
  const links = typeof headers.link === 'string' ? headers.link : (headers.link?.join(', ') ?? '');
  const target = /<([^>]*)>[^,<]*;\s*rel="?next"?/i.exec(links)?.[1];
  return target === undefined ? undefined : resolveAddress(place, target, url);
}

export function pageNotUnderstood(registry: string, what: string): GbuildError {
  const message = `the registry ${registry}, asked to ${what}, gave an answer that is not understood`;
  const suggestions = [`curl -v https://${registry}/v2/   # is it a registry?`];
  return new GbuildError('registry-failed', message, { suggestions, facts: { registry } });
}
