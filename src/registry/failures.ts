import { GbuildError, messageOf } from '../errors.ts';
import { Stalled } from './exchange.ts';
import { PassingFailure } from './retry.ts';
import { ProxyRefusal } from './tunnel.ts';

/** What an error says of where it happened; `what` completes "the registry HOST would not ...". */
export interface Place {
  registry: string;
  what: string;
}

const brokenCodes = new Set([
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'EAI_AGAIN',
  'ERR_STREAM_PREMATURE_CLOSE',
]);

/** A request that got no whole answer: what may pass as a PassingFailure, what will not as an error. */
export function networkFailure(place: Place, thrown: unknown): Error {
  if (thrown instanceof GbuildError || thrown instanceof PassingFailure) return thrown;
  const code = (thrown as NodeJS.ErrnoException).code ?? '';
  const isClosed = messageOf(thrown) === 'the connection was closed';
  if (thrown instanceof Stalled || brokenCodes.has(code) || code.startsWith('HPE_') || isClosed) {
    const cut = code === 'HPE_INVALID_EOF_STATE' || messageOf(thrown) === 'aborted';
    const why = cut ? 'the connection broke' : messageOf(thrown);
    return new PassingFailure((tries) => lost(place, why, tries, thrown), { cause: thrown });
  }
  return unreachable(place, code, thrown);
}

function lost({ registry, what }: Place, why: string, tries: number, cause: unknown): GbuildError {
  return new GbuildError(
    'registry-failed',
    `the registry ${registry} went away while asked to ${what}: ${why} (${tries} times in a row)`,
    {
      suggestions: [`curl -v https://${registry}/v2/`, 'try again when the network is back'],
      cause,
      facts: { registry, tries },
    },
  );
}

function unreachable(place: Place, code: string, cause: unknown): GbuildError {
  const { registry } = place;
  const [message, ...suggestions] = explainCode(place, code, cause);
  return new GbuildError('registry-failed', message, {
    suggestions,
    cause,
    facts: { registry, ...(code !== '' && { code }) },
  });
}

function explainCode({ registry }: Place, code: string, cause: unknown): [string, ...string[]] {
  const curl = `curl -v https://${registry}/v2/`;
  if (cause instanceof ProxyRefusal) return [cause.message, 'check HTTPS_PROXY and NO_PROXY'];
  if (code === 'ENOTFOUND')
    return [
      `there is no registry ${registry}: its name is not known (DNS)`,
      `getent hosts ${registry.replace(/:\d+$/, '')}`,
    ];
  if (code === 'ECONNREFUSED') return [`nothing listens at the registry ${registry} (connection refused)`, curl];
  if (code === 'CERT_NOT_YET_VALID' || code === 'CERT_HAS_EXPIRED') {
    const when = code === 'CERT_HAS_EXPIRED' ? 'has expired' : 'is not valid yet';
    return [
      `the certificate of the registry ${registry} ${when} by this machine's clock`,
      'date   # is it right?',
      curl,
    ];
  }
  if (isUntrusted(code)) {
    return [
      `the certificate of the registry ${registry} is signed by nobody this machine trusts (${code})`,
      `put the root that signed it into ~/.config/docker/certs.d/${registry}/ca.crt, or name it in NODE_EXTRA_CA_CERTS`,
    ];
  }
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    const { subjectaltname: names = 'another name' } = (cause as { cert?: { subjectaltname?: string } }).cert ?? {};
    return [`the certificate of the registry ${registry} is for ${names}`, curl];
  }
  if (isNotTls(cause)) return [`the registry ${registry} does not speak TLS`, ...insecureHint(registry)];
  return [`the registry ${registry} cannot be reached: ${messageOf(cause)}`, curl];
}

function insecureHint(registry: string): string[] {
  return [`if it may be asked without: registries: { "${registry}": { insecure: true } } in gbuild's config.yml`];
}

function isUntrusted(code: string): boolean {
  return /^(SELF_SIGNED_CERT|DEPTH_ZERO_SELF_SIGNED_CERT|UNABLE_TO_(GET_ISSUER|VERIFY_LEAF))/.test(code);
}

/** Whether the other side answered a TLS greeting by something else. */
export function isNotTls(thrown: unknown): boolean {
  const code = (thrown as NodeJS.ErrnoException).code ?? '';
  return code === 'EPROTO' || code.startsWith('ERR_SSL_WRONG_VERSION') || code.startsWith('ERR_SSL_PACKET_LENGTH');
}
