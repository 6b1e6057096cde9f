const secondsOf = { h: 3600, m: 60, s: 1 } as const;
const bytesOf = { k: 1024, m: 1024 ** 2, g: 1024 ** 3, t: 1024 ** 4 } as const;

/** Pattern of durations: `90s`, `10m`, `1h30m`, `1.5h`. */
export const durationGrammar = /^(?=\d)(?:(\d+(?:\.\d+)?)h)?(?:(\d+(?:\.\d+)?)m)?(?:(\d+(?:\.\d+)?)s)?$/;
/** Pattern of sizes: `512m`, `2g`, `1.5GiB`, with units of 1024, as in Docker. */
export const memoryGrammar = /^(\d+(?:\.\d+)?) ?([kKmMgGtT])(?:i?[bB])?$/;

/** Returns seconds; undefined where the text is not a duration. */
export function parseDuration(text: string): number | undefined {
  const match = durationGrammar.exec(text);
  if (match === null) return undefined;
  const [, hours = '0', minutes = '0', seconds = '0'] = match;
  return Number(hours) * secondsOf.h + Number(minutes) * secondsOf.m + Number(seconds) * secondsOf.s;
}

/** Returns whole bytes; undefined where the text is no size. */
export function parseMemory(text: string): number | undefined {
  const match = memoryGrammar.exec(text);
  if (match === null) return undefined;
  return Math.floor(Number(match[1]) * bytesOf[match[2]!.toLowerCase() as keyof typeof bytesOf]);
}
