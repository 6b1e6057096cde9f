import { GbuildError } from '../../errors.ts';
import type { Host } from '../../host.ts';
import { parseDuration } from '../../spec/schema/units.ts';

/**
 * Reads seconds from a variable of the caller's; undefined where it is not set. Throws `usage` for an invalid duration.
 */
export function readDuration({ env }: Pick<Host, 'env'>, name: string): number | undefined {
  const written = env[name];
  if (!written) return undefined;
  const seconds = parseDuration(written);
  if (seconds !== undefined) return seconds;
  throw new GbuildError('usage', `${name}: "${written}" is not a duration`, {
    suggestions: [`export ${name}=60s   # or 10m, 1h30m`],
  });
}

/**
 * Reads GBUILD_REQUEST_TIMEOUT: seconds of silence after which a request to an engine or registry fails; at least one.
 */
export function readRequestTimeout(host: Pick<Host, 'env'>): number | undefined {
  const seconds = readDuration(host, 'GBUILD_REQUEST_TIMEOUT');
  return seconds && Math.max(1, seconds);
}
