import { GbuildError, messageOf } from '../errors.ts';
import type { Endpoint } from './endpoint.ts';

const neverConnected = new Set([
  'ECONNREFUSED',
  'ENOENT',
  'EACCES',
  'EPERM',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ETIMEDOUT',
]);

/** A request that got no answer: the engine could not be reached, or went away while it was asked. */
export function connectionFailure(endpoint: Endpoint, what: string, thrown: unknown): GbuildError {
  if (thrown instanceof GbuildError) return thrown;
  const code = (thrown as NodeJS.ErrnoException).code ?? '';
  if (neverConnected.has(code) || isTlsCode(code)) return unreachable(endpoint, code, thrown);
  return engineLost(endpoint, what, thrown);
}

/** The connection broke, or the engine stopped answering, in the middle of something. */
export function engineLost(endpoint: Endpoint, what: string, cause: unknown): GbuildError {
  return new GbuildError(
    'engine-failed',
    `the engine at ${endpoint.url} went away while asked to ${what}: ${messageOf(cause)}`,
    {
      suggestions: ['gbuild doctor', 'try again when the engine is back'],
      cause,
      facts: { endpoint: endpoint.url, lost: true },
    },
  );
}

/** Whether the engine was not reached, or went away: it may be there again a moment later. */
export function isLost(thrown: unknown): boolean {
  return thrown instanceof GbuildError && (thrown.code === 'engine-unreachable' || thrown.facts.lost === true);
}

/** An answer with a status that says no. `message` is the engine's own sentence, `reason` its name for it where it has one. */
export function refused(
  endpoint: Endpoint,
  what: string,
  status: number,
  message: string,
  reason?: string,
): GbuildError {
  return new GbuildError(
    'engine-failed',
    `the engine at ${endpoint.url} would not ${what}: ${message} (HTTP ${status})`,
    {
      suggestions: ['gbuild doctor'],
      facts: { endpoint: endpoint.url, status, ...(reason !== undefined && { reason }) },
    },
  );
}

function unreachable(endpoint: Endpoint, code: string, cause: unknown): GbuildError {
  const detail = code === 'ENOENT' ? 'there is no such socket' : messageOf(cause);
  return new GbuildError(
    'engine-unreachable',
    `cannot reach the container engine at ${endpoint.url} (from ${endpoint.source}): ${detail}`,
    {
      suggestions: unreachableSuggestions(endpoint, code),
      cause,
      facts: { endpoint: endpoint.url, source: endpoint.source },
    },
  );
}

function unreachableSuggestions(endpoint: Endpoint, code: string): string[] {
  if (code === 'EACCES' || code === 'EPERM')
    return ['sudo usermod -aG docker "$USER"   # then log in again', 'gbuild doctor'];
  if (isTlsCode(code))
    return ['check DOCKER_CERT_PATH and DOCKER_TLS_VERIFY, or the TLS files of the context', 'gbuild doctor'];
  if (endpoint.source === 'DOCKER_HOST') return ['unset DOCKER_HOST   # to use the local engine', 'gbuild doctor'];
  if (endpoint.socketPath !== undefined) return ['sudo systemctl start docker', 'gbuild doctor'];
  return ['docker context ls', 'gbuild doctor'];
}

/** Node's names for certificates that do not fit, and OpenSSL's for a side that speaks no TLS. */
function isTlsCode(code: string): boolean {
  return /^(ERR_TLS|ERR_SSL|CERT_|EPROTO|UNABLE_TO|SELF_SIGNED|DEPTH_ZERO)/.test(code);
}
