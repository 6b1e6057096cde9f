/**
 * Returns the field of a JSON object, `undefined` where the value is no object. The shape of an engine's answer is
 * never trusted.
 */
export function readField(value: unknown, key: string): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  return Object.hasOwn(value, key) ? (value as Record<string, unknown>)[key] : undefined;
}

export function readText(value: unknown, key: string): string | undefined {
  const field = readField(value, key);
  return typeof field === 'string' ? field : undefined;
}

export function readNumber(value: unknown, key: string): number | undefined {
  const field = readField(value, key);
  return typeof field === 'number' ? field : undefined;
}

/** Returns the field as a list; empty where it is none (Go writes a nil slice as null). */
export function readList(value: unknown, key: string): unknown[] {
  const field = readField(value, key);
  return Array.isArray(field) ? field : [];
}

export function readTexts(value: unknown, key: string): string[] {
  return readList(value, key).filter((each) => typeof each === 'string');
}

export function readTextMap(value: unknown, key: string): Record<string, string> {
  const field = readField(value, key);
  if (typeof field !== 'object' || field === null) return {};
  return Object.fromEntries(
    Object.entries(field).filter((pair): pair is [string, string] => typeof pair[1] === 'string'),
  );
}

/** Parses JSON text; `undefined` when it is invalid. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
