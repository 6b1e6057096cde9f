import { GbuildError, messageOf } from '../../errors.ts';
import type { Digest } from '../../oci/digest.ts';
import { Stalled } from '../../oci/stream/pace.ts';
import { TransientError } from './retry.ts';
import { ProxyRefusal } from './tunnel.ts';

/** Place of a failure for its message; `what` completes "the registry HOST refused to ...". */
export interface Place {
  registry: string;
  what: string;
  /** Host and port of another machine that the registry names: a token server, a storage. */
  other?: string;
}

const brokenCodes = new Set([
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'EAI_AGAIN',
  'ERR_STREAM_PREMATURE_CLOSE',
]);

/** Messages of Node and gbuild that mean a broken connection. */
const brokenMessages = new Set([
  'aborted',
  'socket hang up',
  'read ECONNRESET',
  'write EPIPE',
  'the connection was closed',
]);

/** Whether a connection broke after it had come about: another try may succeed. */
export function isBrokenConnection(thrown: unknown): boolean {
  const code = (thrown as NodeJS.ErrnoException).code ?? '';
  return brokenCodes.has(code) || code.startsWith('HPE_') || brokenMessages.has(messageOf(thrown));
}

/** Describes a request without a complete answer: as a TransientError where it may pass, else as an error. */
export function networkFailure(place: Place, thrown: unknown): Error {
  if (thrown instanceof GbuildError || thrown instanceof TransientError) return thrown;
  const code = (thrown as NodeJS.ErrnoException).code ?? '';
  if (thrown instanceof Stalled || isBrokenConnection(thrown)) {
    const why = brokenMessages.has(messageOf(thrown)) ? 'the connection broke' : messageOf(thrown);
    return new TransientError((tries) => lost(place, why, tries, thrown), { cause: thrown });
  }
  return unreachable(place, code, thrown);
}

/** Describes an answer that claims an upload which the registry does not have. */
export function notTaken({ registry, what }: Place, digest: Digest): TransientError {
  const message = `the registry ${registry}, asked to ${what}, says that it did, but does not have it`;
  return new TransientError(
    () =>
      new GbuildError('registry-failed', message, {
        suggestions: ['run the same command again'],
        facts: { registry, digest },
      }),
  );
}

function lost(place: Place, why: string, tries: number, cause: unknown): GbuildError {
  const { registry, what } = place;
  const often = tries > 1 ? ` (${tries} times in a row)` : '';
  const isSlow = cause instanceof Stalled;
  const how = isSlow ? 'does not answer, asked to' : 'went away while asked to';
  const next = isSlow
    ? 'export GBUILD_REQUEST_TIMEOUT=10m   # if it is only slow'
    : 'try again when the network is back';
  return new GbuildError('registry-failed', `${nameOf(place)} ${how} ${what}: ${why}${often}`, {
    suggestions: [curlOf(place), next],
    cause,
    facts: { registry, tries },
  });
}

function nameOf({ registry, other }: Place): string {
  return other === undefined ? `the registry ${registry}` : `${other}, to which the registry ${registry} points,`;
}

function curlOf({ registry, other }: Place): string {
  return other === undefined ? `curl -v https://${registry}/v2/` : `curl -v https://${other}/`;
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

/** Returns a sentence, followed by suggestions. */
function explainCode(place: Place, code: string, cause: unknown): [string, ...string[]] {
  const host = place.other ?? place.registry;
  const name = nameOf(place);
  const certificate = `the certificate of ${name}`;
  if (cause instanceof ProxyRefusal) return [cause.message, 'check HTTPS_PROXY and NO_PROXY'];
  if (code === 'ENOTFOUND')
    return [`${name} cannot be found: its name is not known (DNS)`, `getent hosts ${host.replace(/:\d+$/, '')}`];
  if (code === 'ECONNREFUSED')
    return [`${name} cannot be reached: nothing listens there (connection refused)`, curlOf(place)];
  if (code === 'CERT_NOT_YET_VALID')
    return [`${certificate} is not valid yet by this machine's clock`, ...clockHints(place)];
  if (code === 'CERT_HAS_EXPIRED') return [`${certificate} has expired by this machine's clock`, ...clockHints(place)];
  if (isUntrusted(code)) {
    const folder = `~/.config/docker/certs.d/${place.registry}`;
    return [
      `${certificate} is signed by nobody this machine trusts (${code})`,
      `put the root that signed it into ${folder}/ca.crt, or name it in NODE_EXTRA_CA_CERTS`,
    ];
  }
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    const { subjectaltname: names = 'another name' } = (cause as { cert?: { subjectaltname?: string } }).cert ?? {};
    return [`${certificate} is for ${names}`, curlOf(place)];
  }
  if (isNotTls(cause)) return [`${name} does not speak TLS`, ...insecureHint(place)];
  return [`${name} cannot be reached: ${messageOf(cause)}`, curlOf(place)];
}

function clockHints(place: Place): string[] {
  return ['date   # is it right?', curlOf(place)];
}

function insecureHint({ registry }: Place): string[] {
  return [`if it may be asked without: registries: { "${registry}": { insecure: true } } in gbuild's config.yml`];
}

function isUntrusted(code: string): boolean {
  return /^(SELF_SIGNED_CERT|DEPTH_ZERO_SELF_SIGNED_CERT|UNABLE_TO_(GET_ISSUER|VERIFY_LEAF))/.test(code);
}

/** Whether the other side answered a TLS greeting with something else. */
export function isNotTls(thrown: unknown): boolean {
  const code = (thrown as NodeJS.ErrnoException).code ?? '';
  return code === 'EPROTO' || code.startsWith('ERR_SSL_WRONG_VERSION') || code.startsWith('ERR_SSL_PACKET_LENGTH');
}
