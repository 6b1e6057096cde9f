import type { SecretSearch } from './secret-search.ts';

/** Finds secrets in texts and keys of a JSON value, with their places for people: `config.Env[2] (TOKEN)`. */
export function searchJson(value: unknown, place: string, search: SecretSearch): { secret: string; place: string }[] {
  if (typeof value === 'string') {
    const variable = /^\w+(?==)/.exec(value)?.[0];
    const shown = variable === undefined ? place : `${place} (${variable})`;
    return search.findIn(Buffer.from(value)).map((secret) => ({ secret, place: shown }));
  }
  if (Array.isArray(value)) return value.flatMap((item, index) => searchJson(item, `${place}[${index}]`, search));
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, item]) => [
    ...search.findIn(Buffer.from(key)).map((secret) => ({ secret, place: `a key of ${place}` })),
    ...searchJson(item, joinKey(place, key), search),
  ]);
}

function joinKey(place: string, key: string): string {
  return /^\w+$/.test(key) ? `${place}.${key}` : `${place}[${JSON.stringify(key)}]`;
}
