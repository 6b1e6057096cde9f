import semver from 'semver';

/** Whether a text is a version of four numbers, as some tools count theirs (`9.4.15.0`). */
export function hasFourNumbers(text: string): boolean {
  return /^\d+(?:\.\d+){3}$/.test(text);
}

/** The exact version that a text names, as semver writes it or of four numbers; null for others. */
export function readExactVersion(text: string): string | null {
  return hasFourNumbers(text) ? text : semver.valid(text);
}

/** The exact version or the semver range that a text means; null for others. */
export function readVersionRange(text: string): string | null {
  return readExactVersion(text) ?? semver.validRange(text);
}
