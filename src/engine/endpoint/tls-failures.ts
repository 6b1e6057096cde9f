import { X509Certificate } from 'node:crypto';
import { join } from 'node:path';
import type { Endpoint } from './endpoint.ts';
import type { EngineTls } from './tls.ts';

/** Fault of a TLS connection to an engine, in a sentence, and its fix. */
export interface TlsFailure {
  sentence: string;
  suggestions: string[];
}

type Kind =
  | 'server expired'
  | 'server not yet valid'
  | 'other address'
  | 'other authority'
  | 'client expired there'
  | 'client refused'
  | 'no TLS'
  | 'refused'
  | 'silent';

/**
 * Codes of Node and OpenSSL. A server's refusal of a client certificate arrives as an alert, or as a broken connection.
 */
const codes: [RegExp, Kind][] = [
  [/^CERT_HAS_EXPIRED$/, 'server expired'],
  [/^CERT_NOT_YET_VALID$/, 'server not yet valid'],
  [/^ERR_TLS_CERT_ALTNAME_INVALID$/, 'other address'],
  [/^(UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO|CERT_SIGNATURE|CERT_UNTRUSTED|INVALID_CA)/, 'other authority'],
  [/ALERT_CERTIFICATE_EXPIRED$/, 'client expired there'],
  [/_ALERT_/, 'client refused'],
  [/WRONG_VERSION|UNKNOWN_PROTOCOL|HTTP_REQUEST|PACKET_LENGTH|^EPROTO$/, 'no TLS'],
  [/^ECONNREFUSED$/, 'refused'],
  [/^(ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|EHOSTDOWN)$/, 'silent'],
];

/** Words at the end of docker-machine's own check. */
const words: [RegExp, Kind][] = [
  [/certificate is (not )?valid for|doesn't contain any IP SANs/, 'other address'],
  [/not yet valid|has expired/, 'server expired'],
  [/unknown authority/, 'other authority'],
  [/tls: .*(bad certificate|expired certificate|unknown certificate)/, 'client refused'],
  [/connection refused/, 'refused'],
  [/timeout|no route to host|unreachable|not running/, 'silent'],
];

/**
 * Explains why a TLS endpoint was not reached; undefined for failures without relation to TLS or machines. A refused
 * certificate may also look like a connection that breaks before the first answer (`isFirst`).
 */
export function explainTls(endpoint: Endpoint, code: string, isFirst: boolean): TlsFailure | undefined {
  const broken: Kind | undefined = isFirst && /^(ECONNRESET|EPIPE)$/.test(code) ? 'client refused' : undefined;
  const kind = codes.find(([pattern]) => pattern.test(code))?.[1] ?? broken;
  if (kind === undefined || endpoint.tls === undefined) return undefined;
  const isOfCertificates = !['refused', 'silent', 'no TLS'].includes(kind);
  const own = isOfCertificates ? explainOwn(endpoint, endpoint.tls) : undefined;
  if (own !== undefined) return own;
  if (!isOfCertificates && endpoint.machine === undefined) return undefined;
  return explain(kind, endpoint.machine, endpoint.tls);
}

/** Explains the error output of `docker-machine env`. */
export function explainMachine(machine: string, text: string): TlsFailure | undefined {
  const kind = words.find(([pattern]) => pattern.test(text))?.[1];
  return kind === undefined ? undefined : explain(kind, machine, undefined);
}

/**
 * Explains a fault in the caller's own files first: a certificate that is expired here is refused there, in whatever
 * words.
 */
function explainOwn({ chosenAt, machine }: Endpoint, tls: EngineTls): TlsFailure | undefined {
  if (chosenAt === undefined) return undefined;
  for (const [name, pem] of [
    ['cert.pem', tls.cert],
    ['ca.pem', tls.ca],
  ] as const) {
    const dates = readDates(pem);
    if (dates === undefined) continue;
    const file = tls.directory === undefined ? name : join(tls.directory, name);
    if (dates.to < chosenAt)
      return {
        sentence: `the certificate ${file} expired on ${day(dates.to)}`,
        suggestions: renew(machine, tls, true),
      };
    if (dates.from > chosenAt)
      return {
        sentence: `the certificate ${file} is valid from ${day(dates.from)} on, and this machine's clock says ${day(chosenAt)}`,
        suggestions: ['timedatectl set-ntp true', ...renew(machine, tls, true)],
      };
  }
  return undefined;
}

function explain(kind: Kind, machine: string | undefined, tls: EngineTls | undefined): TlsFailure {
  const client = tls?.directory === undefined ? 'the client certificate' : join(tls.directory, 'cert.pem');
  const until = readDates(tls?.cert)?.to;
  const dated = until === undefined ? client : `${client} (valid until ${day(until)})`;
  const mend = renew(machine, tls, false);
  const start = machine === undefined ? [] : [`docker-machine start ${machine}`];
  const clock =
    machine === undefined ? ['timedatectl set-ntp true'] : [`docker-machine ssh ${machine} date -u; date -u`];
  switch (kind) {
    case 'server expired':
      return {
        sentence: 'its certificate has expired, or one of the two clocks is wrong',
        suggestions: [...mend, ...clock],
      };
    case 'server not yet valid':
      return {
        sentence: "its certificate is not valid yet by this machine's clock: one of the two clocks is wrong",
        suggestions: [...clock, ...mend],
      };
    case 'other address':
      return {
        sentence:
          'its certificate is for another address: the machine has got a new one, or another machine has this one',
        suggestions: [...(machine === undefined ? [] : [`docker-machine ip ${machine}`]), ...mend],
      };
    case 'other authority':
      return { sentence: `its certificate is not signed by the authority in ${caFile(tls)}`, suggestions: mend };
    case 'client expired there':
      return { sentence: `by its clock ${dated} has expired: the two clocks differ`, suggestions: [...clock, ...mend] };
    case 'client refused':
      return {
        sentence: `it refuses ${dated}: that is of another authority, or its clock is wrong`,
        suggestions: [...mend, ...clock],
      };
    case 'no TLS':
      return { sentence: 'what listens there does not speak TLS', suggestions: mend };
    case 'refused':
      return {
        sentence: 'no engine listens there: the machine or its engine is stopped',
        suggestions: [...start, `docker-machine ssh ${machine} sudo systemctl restart docker`],
      };
    case 'silent':
      return {
        sentence: 'the machine is stopped, or has another address now',
        suggestions: [...start, `docker-machine ip ${machine}`, ...mend],
      };
  }
}

function renew(machine: string | undefined, tls: EngineTls | undefined, clients: boolean): string[] {
  if (machine !== undefined) return [`docker-machine regenerate-certs ${clients ? '--client-certs ' : ''}${machine}`];
  if (tls?.directory === undefined) return ['give the context or DOCKER_CERT_PATH the certificates of this engine'];
  return [`ls -l ${tls.directory}   # ca.pem, cert.pem and key.pem must be of this engine`];
}

function caFile(tls: EngineTls | undefined): string {
  return tls?.directory === undefined || tls.ca === undefined
    ? 'any file that is trusted'
    : join(tls.directory, 'ca.pem');
}

function readDates(pem: Buffer | undefined): { from: number; to: number } | undefined {
  if (pem === undefined) return undefined;
  try {
    const { validFrom, validTo } = new X509Certificate(pem);
    return { from: Date.parse(validFrom), to: Date.parse(validTo) };
  } catch {
    return undefined;
  }
}

function day(time: number): string {
  return new Date(time).toISOString().slice(0, 10);
}
