import { GbuildError, messageOf } from '../../errors.ts';
import { Stalled } from '../../oci/stream/pace.ts';
import type { Endpoint } from '../endpoint/endpoint.ts';
import { explainTls } from '../endpoint/tls-failures.ts';
import { formatSshWords, type SshTarget } from '../ssh/target.ts';

/**
 * Reads an answer that is a list; Go may write an empty one as null. @throws GbuildError `engine-failed` for anything
 * else
 */
export function readAnswerList({ endpoint }: { endpoint: Endpoint }, json: unknown, what: string): unknown[] {
  if (json === null) return [];
  if (!Array.isArray(json)) throw notUnderstood(endpoint, what);
  return json;
}

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

/** Describes a request without an answer: the engine could not be reached, or the connection broke. */
export function connectionFailure(endpoint: Endpoint, what: string, thrown: unknown, isFirst = false): GbuildError {
  if (thrown instanceof GbuildError) return thrown;
  if (thrown instanceof Stalled) return engineSilent(endpoint, what, thrown);
  const code = codeOf(thrown);
  const known = explainTls(endpoint, code, isFirst);
  if (known !== undefined)
    return notReached(endpoint, `${known.sentence} (${plainReason(thrown)})`, known.suggestions, thrown);
  if (endpoint.ssh !== undefined && code.startsWith('HPE_')) return chattyShell(endpoint, endpoint.ssh.target, thrown);
  if (neverConnected.has(code) || isTlsCode(code)) return unreachable(endpoint, code, thrown);
  return engineLost(endpoint, what, thrown);
}

/** Returns Node's error code; an aborted signal has a number there. */
function codeOf(thrown: unknown): string {
  const code: unknown = thrown instanceof Error && 'code' in thrown ? thrown.code : undefined;
  return typeof code === 'string' ? code : '';
}

/** Failure: the engine answered before and does not answer any more. */
export class EngineLostError extends GbuildError {
  constructor({ url }: Endpoint, what: string, suggestions: string[], cause: unknown) {
    const facts = { endpoint: url, lost: true };
    super('engine-failed', `${what}: ${messageOf(cause)}`, { suggestions, cause, facts });
  }
}

/** Reports that the connection broke, or that the engine stopped answering, during a request. */
export function engineLost(endpoint: Endpoint, what: string, cause: unknown): EngineLostError {
  const suggestions = ['gbuild doctor', 'try again when the engine is back'];
  return new EngineLostError(
    endpoint,
    `the engine at ${endpoint.url} went away while asked to ${what}`,
    suggestions,
    cause,
  );
}

/** Reports an open connection with too few bytes: the engine hangs, or a machine on the way. */
export function engineSilent(endpoint: Endpoint, what: string, cause: Stalled): EngineLostError {
  const suggestions = ['gbuild doctor', 'export GBUILD_REQUEST_TIMEOUT=10m   # if it is only slow'];
  return new EngineLostError(
    endpoint,
    `the engine at ${endpoint.url} does not answer, asked to ${what}`,
    suggestions,
    cause,
  );
}

/** Reports a successful answer that does not match the request. */
export function notUnderstood(endpoint: Endpoint, what: string): GbuildError {
  return new GbuildError(
    'engine-failed',
    `the engine at ${endpoint.url}, asked to ${what}, gave an answer that is not understood`,
    { suggestions: ['gbuild doctor'], facts: { endpoint: endpoint.url } },
  );
}

/** Whether the engine was not reached, or was lost: it may answer again a moment later. */
export function isLost(thrown: unknown): boolean {
  return thrown instanceof EngineLostError || (thrown instanceof GbuildError && thrown.code === 'engine-unreachable');
}

/** Failure: an answer with an error status. */
export class EngineRefusalError extends GbuildError {
  readonly status: number;
  readonly reason: string | undefined;

  /** Makes the failure; `message` is the engine's own sentence, `reason` its name where it has one. */
  constructor({ url }: Endpoint, what: string, status: number, message: string, reason?: string) {
    super('engine-failed', `the engine at ${url} refused to ${what}: ${message} (HTTP ${status})`, {
      suggestions: ['gbuild doctor'],
      facts: { endpoint: url, status, ...(reason !== undefined && { reason }) },
    });
    this.status = status;
    this.reason = reason;
  }
}

/**
 * Extracts the plain reason: OpenSSL puts it between codes and file names of its sources, and Node adds advice for
 * programmers.
 */
function plainReason(thrown: unknown): string {
  const text = messageOf(thrown);
  const reason = /:error:[0-9A-F]+:SSL routines:[^:]*:([^:]+):/i.exec(text)?.[1];
  return reason ?? text.replace(/; if the root CA .*$/s, '');
}

/** Reports that the engine cannot be reached. */
export function notReached(endpoint: Endpoint, why: string, suggestions: string[], cause?: unknown): GbuildError {
  const machine = endpoint.machine === undefined ? '' : ` of the machine ${endpoint.machine}`;
  return new GbuildError(
    'engine-unreachable',
    `cannot reach the container engine${machine} at ${endpoint.url} (from ${endpoint.source}): ${why}`,
    {
      suggestions: [...suggestions, 'gbuild doctor'],
      cause,
      facts: { endpoint: endpoint.url, source: endpoint.source },
    },
  );
}

/** Reports an answer over ssh that is not HTTP: the remote shell has printed something first. */
function chattyShell(endpoint: Endpoint, target: SshTarget, cause: unknown): GbuildError {
  const words = formatSshWords(target);
  const why = `the login shell there prints something of its own (${messageOf(cause)})`;
  return notReached(endpoint, why, [`ssh ${words} true   # must print nothing: look into .bashrc`], cause);
}

function unreachable(endpoint: Endpoint, code: string, cause: unknown): GbuildError {
  const detail = code === 'ENOENT' ? 'there is no such socket' : messageOf(cause);
  return notReached(endpoint, detail, unreachableSuggestions(endpoint, code), cause);
}

function unreachableSuggestions(endpoint: Endpoint, code: string): string[] {
  if (code === 'EACCES' || code === 'EPERM') return ['sudo usermod -aG docker "$USER"   # then log in again'];
  if (isTlsCode(code)) return ['check DOCKER_CERT_PATH and DOCKER_TLS_VERIFY, or the TLS files of the context'];
  if (endpoint.source === 'DOCKER_HOST') return ['unset DOCKER_HOST   # to use the local engine'];
  if (endpoint.socketPath !== undefined) return ['sudo systemctl start docker'];
  return ['gbuild engine ls'];
}

/** Whether the code is Node's for a certificate that does not fit, or OpenSSL's for a side without TLS. */
function isTlsCode(code: string): boolean {
  return /^(ERR_TLS|ERR_SSL|CERT_|EPROTO|UNABLE_TO|SELF_SIGNED|DEPTH_ZERO)/.test(code);
}
