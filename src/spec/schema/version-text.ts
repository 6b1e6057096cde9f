import semver from 'semver';

/** Whether a text is a version of four numbers, which some tools use (`9.4.15.0`). */
export function hasFourNumbers(text: string): boolean {
  return /^\d+(?:\.\d+){3}$/.test(text);
}

/** Returns the exact version that a text names, semver or of four numbers; null for others. */
export function readExactVersion(text: string): string | null {
  return hasFourNumbers(text) ? text : semver.valid(text);
}

/** Returns the exact version or the semver range that a text means; null for others. */
export function readVersionRange(text: string): string | null {
  return readExactVersion(text) ?? semver.validRange(text);
}
