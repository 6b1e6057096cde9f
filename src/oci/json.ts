type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/**
 * Formats a JSON value in the only spelling that gbuild hashes: keys sorted by code unit, no white space, absent values
 * left out. Equal values give equal bytes in any order of construction.
 */
export function formatCanonical(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(sortKeys(JSON.parse(JSON.stringify(value)) as Json)));
}

/** Parses a JSON object; undefined for any other bytes. */
export function parseJsonObject(text: Buffer | string): object | undefined {
  try {
    const json: unknown = JSON.parse(text.toString());
    return typeof json === 'object' && json !== null ? json : undefined;
  } catch {
    return undefined;
  }
}

function sortKeys(value: Json): Json {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (value === null || typeof value !== 'object') return value;
  const sorted: { [key: string]: Json } = Object.create(null);
  for (const key of Object.keys(value).sort()) sorted[key] = sortKeys(value[key] as Json);
  return sorted;
}
