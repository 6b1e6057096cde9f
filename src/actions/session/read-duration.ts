import { GbuildError } from '../../errors.ts';
import type { Host } from '../../host.ts';
import { parseDuration } from '../../spec/schema/units.ts';

/** Seconds that a variable of the caller's names; undefined where it is not set. Throws `usage` for what is not a duration. */
export function readDuration({ env }: Pick<Host, 'env'>, name: string): number | undefined {
  const written = env[name];
  if (!written) return undefined;
  const seconds = parseDuration(written);
  if (seconds !== undefined) return seconds;
  throw new GbuildError('usage', `${name}: "${written}" is not a duration`, {
    suggestions: [`export ${name}=60s   # or 10m, 1h30m`],
  });
}

/** GBUILD_REQUEST_TIMEOUT: seconds that an engine or a registry may be silent before gbuild gives it up; at least one. */
export function readRequestTimeout(host: Pick<Host, 'env'>): number | undefined {
  const seconds = readDuration(host, 'GBUILD_REQUEST_TIMEOUT');
  return seconds && Math.max(1, seconds);
}
