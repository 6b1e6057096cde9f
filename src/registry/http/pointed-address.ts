import { GbuildError } from '../../errors.ts';
import type { Place } from './failures.ts';

/**
 * Resolves an address in a registry's answer against the answer's own. @throws GbuildError `registry-failed` where it
 * is not HTTP
 */
export function resolveAddress({ registry, what }: Place, written: string, from: URL): URL {
  const url = URL.canParse(written, from.href) ? new URL(written, from) : undefined;
  if (url !== undefined && ['http:', 'https:'].includes(url.protocol)) return url;
  const message = `the registry ${registry}, asked to ${what}, points to ${JSON.stringify(written.slice(0, 200))}, which is not an http address`;
  throw failure(registry, message);
}

/** Reports that the registry opened an upload without an address. */
export function nowhere({ registry, what }: Place): GbuildError {
  return failure(
    registry,
    `the registry ${registry}, asked to ${what}, does not say where to: its answer has no Location`,
  );
}

function failure(registry: string, message: string): GbuildError {
  const suggestions = [`curl -v https://${registry}/v2/   # is it a registry? Whoever runs it should know`];
  return new GbuildError('registry-failed', message, { suggestions, facts: { registry } });
}
