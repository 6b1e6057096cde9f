import { randomUUID, sign } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Issued } from '../network/authority.ts';

export interface TokenRequest {
  method: string;
  headers: IncomingHttpHeaders;
  /** Parameters of the query or the form. */
  parameters: URLSearchParams;
}

/**
 * Token server of the tests (Docker's token authentication, OAuth2 for identity tokens), for a registry that trusts its
 * root.
 */
export interface TokenServer extends AsyncDisposable {
  /** Address `http://127.0.0.1:PORT/token`. */
  realm: string;
  service: string;
  issuer: string;
  requests: TokenRequest[];
  /** Changes its behaviour from now on. */
  set(behaviour: Partial<TokenBehaviour>): void;
}

export interface TokenBehaviour {
  user: string;
  password: string;
  identityToken: string;
  /** Whether anybody may pull. */
  anonymousPull: boolean;
  /** Seconds by which its clock is ahead of the registry's. */
  clockAhead: number;
  /** Whether a requested scope is allowed. */
  allow(scope: { name: string; action: string }): boolean;
}

export async function startTokenServer(signer: Issued, behaviour: Partial<TokenBehaviour> = {}): Promise<TokenServer> {
  const state: TokenBehaviour = {
    user: 'ci',
    password: 'of the tests',
    identityToken: 'identity-of-the-tests',
    anonymousPull: false,
    clockAhead: 0,
    allow: () => true,
    ...behaviour,
  };
  const requests: TokenRequest[] = [];
  const [service, issuer] = ['registry.test', 'gbuild tests'];
  const server = createServer(async (incoming, answer) => {
    const { method = '', headers } = incoming;
    const parameters = await readParameters(incoming);
    requests.push({ method, headers, parameters });
    const known = isKnown(method, headers, parameters, state);
    const now = Math.floor(Date.now() / 1000) + state.clockAhead;
    answer.setHeader('Date', new Date(now * 1000).toUTCString());
    if (!known && !(state.anonymousPull && headers.authorization === undefined && method === 'GET')) {
      answer.writeHead(401).end(JSON.stringify({ details: 'incorrect username or password' }));
      return;
    }
    const scopes = parameters.getAll('scope').flatMap((scope) => scope.split(' '));
    const access = scopes.filter(Boolean).map((scope) => {
      const [type = '', name = '', actions = ''] = scope.split(':');
      const allowed = actions
        .split(',')
        .filter((action) => state.allow({ name, action }) && (known || action === 'pull'));
      return { type, name, actions: allowed };
    });
    const token = signToken(signer, { iss: issuer, aud: service, sub: state.user, access, now });
    answer.writeHead(200).end(JSON.stringify(method === 'POST' ? { access_token: token } : { token, expires_in: 300 }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    realm: `http://127.0.0.1:${(server.address() as AddressInfo).port}/token`,
    service,
    issuer,
    requests,
    set: (changed) => void Object.assign(state, changed),
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function readParameters(incoming: IncomingMessage): Promise<URLSearchParams> {
  if (incoming.method === 'GET') return new URL(incoming.url ?? '', 'http://tokens').searchParams;
  let form = '';
  for await (const chunk of incoming) form += String(chunk);
  return new URLSearchParams(form);
}

function isKnown(method: string, headers: IncomingHttpHeaders, form: URLSearchParams, state: TokenBehaviour): boolean {
  if (method === 'POST')
    return form.get('grant_type') === 'refresh_token' && form.get('refresh_token') === state.identityToken;
  const pair = Buffer.from(`${state.user}:${state.password}`).toString('base64');
  return headers.authorization === `Basic ${pair}`;
}

/** Signs a JWT with the signer's certificate (x5c), as Debian's registry requires it. */
function signToken(
  { certFile, keyFile }: Issued,
  { now, ...claims }: { now: number } & Record<string, unknown>,
): string {
  const certificate = readFileSync(certFile, 'utf8').replaceAll(/-----.*-----|\s/g, '');
  const header = { typ: 'JWT', alg: 'ES256', x5c: [certificate] };
  const body = { ...claims, iat: now, nbf: now, exp: now + 300, jti: randomUUID() };
  const text = [header, body].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
  const signature = sign('sha256', Buffer.from(text), { key: readFileSync(keyFile), dsaEncoding: 'ieee-p1363' });
  return `${text}.${signature.toString('base64url')}`;
}
