const units = ['B', 'kB', 'MB', 'GB', 'TB'];

/** Formats bytes for people, in decimal units like engines: `512 B`, `1.2 MB`. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return unit === 0 ? `${value} B` : `${value.toFixed(value < 10 ? 1 : 0)} ${units[unit]}`;
}

/** Formats seconds for people: `0.4 s`, `12 s`, `3 min 05 s`. */
export function formatSeconds(seconds: number): string {
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 100) return `${Math.round(seconds)} s`;
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, '0')} s`;
}

/** Formats a time to wait, rounded up: `45 s`, `30 min`, `24 h`, `23 h 10 min`. */
export function formatWait(seconds: number): string {
  if (seconds < 60) return `${Math.ceil(seconds)} s`;
  const minutes = Math.ceil(seconds / 60);
  const [hours, rest] = [Math.floor(minutes / 60), minutes % 60];
  return [hours > 0 ? [`${hours} h`] : [], rest > 0 ? [`${rest} min`] : []].flat().join(' ');
}

/** Formats a digest for people: its first twelve hex digits. */
export function formatDigest(digest: string): string {
  return digest.replace(/^sha256:/, '').slice(0, 12);
}

const ages = [
  ['day', 86_400],
  ['h', 3600],
  ['min', 60],
] as const;

/** Formats an age for people: `12 s`, `5 min`, `3 h`, `1 day`, `40 days`. */
export function formatAge(seconds: number): string {
  const [unit, length] = ages.find(([, each]) => seconds >= each) ?? ['s', 1];
  const count = Math.max(0, Math.floor(seconds / length));
  return `${count} ${unit}${unit === 'day' && count > 1 ? 's' : ''}`;
}
