import { GbuildError } from '../../errors.ts';
import { formatSshTarget, parseSshTarget, type SshTarget } from '../ssh/target.ts';

/** Parsed address of an engine; `secure` when its scheme asks for TLS. Sockets and ssh have no TLS. */
export interface Address {
  at: { url: string; socketPath?: string; host?: string; port?: number };
  ssh?: SshTarget;
  secure: boolean;
}

const examples = ['unix:///var/run/docker.sock', 'tcp://127.0.0.1:2375', 'ssh://USER@HOST'];

/**
 * Parses an address of DOCKER_HOST or a context: `unix:///path`, `npipe:////./pipe/x`, `tcp://host:port`, `http(s)://`,
 * `ssh://[user@]host[:port][/path]`, or a bare `host:port`.
 *
 * @throws GbuildError `usage` with the source of the address
 */
export function parseAddress(address: string, from: string, wantsTls: boolean): Address {
  const fail = (why: string): never => {
    throw new GbuildError('usage', `${from}: "${withoutSecrets(address)}" is not an engine address: ${why}`, {
      suggestions: examples,
    });
  };
  const local = /^(unix|npipe):\/\/(.+)$/.exec(address);
  if (local !== null) {
    const path = local[2]!;
    if (!path.startsWith('/')) fail('the path of a socket must be absolute');
    return { at: { url: address, socketPath: path }, secure: false };
  }
  if (address.startsWith('ssh:')) {
    const target = parseSshTarget(address);
    if (typeof target === 'string') return fail(target);
    return { at: { url: formatSshTarget(target) }, ssh: target, secure: false };
  }
  const url = parseUrl(address.includes('://') ? address : `tcp://${address}`);
  if (url === undefined || url.hostname === '')
    return fail('expected unix:///PATH, tcp://HOST:PORT or ssh://USER@HOST');
  if (!['tcp:', 'http:', 'https:'].includes(url.protocol)) return fail(`"${url.protocol}" is not a known scheme`);
  if (url.pathname !== '' && url.pathname !== '/') return fail('a path after the port is not supported');
  const secure = url.protocol === 'https:';
  const port = url.port === '' ? (secure || wantsTls ? 2376 : 2375) : Number(url.port);
  const host = url.hostname.replace(/^\[|\]$/g, '');
  return { at: { url: `tcp://${url.hostname}:${port}`, host, port }, secure };
}

function parseUrl(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined;
}

function withoutSecrets(address: string): string {
  return address.replace(/\/\/[^@/]*@/, '//');
}
