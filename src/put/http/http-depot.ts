import { GbuildError } from '../../errors.ts';
import { Redactor } from '../../registry/http/redact.ts';
import { openDialer, settingsOf } from '../depot/connect.ts';
import type { Depot, FileThere, FileToPut, PutContext } from '../depot/depot.ts';
import { type Destination, formatDestination } from '../depot/destination.ts';
import { compareStored, readAsDescribed } from '../depot/read-file.ts';
import { PutHttp } from './put-http.ts';
import { formatReprDigest, readStoredDigest } from './stored-digest.ts';

/** Variable with the value of the Authorization header, for addresses without a user. */
const authorizationVariable = 'GBUILD_PUT_AUTHORIZATION';

/** Opens a depot for https:// addresses. */
export function openHttpDepot(context: PutContext): Depot {
  const dialer = openDialer(context);
  const redactor = new Redactor();
  const http = new PutHttp({ ...context, dialer, settings: settingsOf(context), redactor });
  const authorize = (url: URL) => authorizationOf(url, context.host.env[authorizationVariable] ?? '', redactor);
  return {
    look: (at, file) => {
      const url = urlOf(at);
      return http.retry(() => look(http, url, authorize(url), file));
    },
    write: (at, file) => {
      const url = urlOf(at);
      return http.retry(() => write(http, url, authorize(url), file));
    },
    close: () => dialer.close(),
  };
}

/** Statuses of servers that know no HEAD. */
const withoutHead = new Set([405, 501]);

async function look(
  http: PutHttp,
  url: URL,
  headers: Record<string, string>,
  file: FileToPut,
): Promise<FileThere | undefined> {
  const head = await http.send(url, { method: 'HEAD', headers });
  head.stream.resume();
  if (isAbsent(head.status)) return undefined;
  if (head.status !== 200 && !withoutHead.has(head.status)) throw await http.refusal(url, 'HEAD', head);
  const told = head.status === 200 ? readStoredDigest(head.headers) : undefined;
  if (told !== undefined)
    return { size: readSize(head.headers['content-length']), sha256: told, isSame: told === file.sha256 };
  const answer = await http.send(url, { method: 'GET', headers: { ...headers, 'Accept-Encoding': 'identity' } });
  if (isAbsent(answer.status)) {
    answer.stream.resume();
    return undefined;
  }
  if (answer.status !== 200) throw await http.refusal(url, 'GET', answer);
  return await compareStored(http.stream(url, answer), file);
}

/** Statuses of a server that has the key already, or another writer at it. */
const taken = new Set([409, 412]);

async function write(http: PutHttp, url: URL, headers: Record<string, string>, file: FileToPut): Promise<boolean> {
  const answer = await http.send(url, {
    method: 'PUT',
    headers: {
      ...headers,
      'Content-Length': String(file.size),
      'Content-Type': 'application/octet-stream',
      'If-None-Match': '*',
      'Repr-Digest': formatReprDigest(file.sha256),
    },
    open: () => readAsDescribed(file),
  });
  if (answer.status >= 200 && answer.status < 300) {
    answer.stream.resume();
    return true;
  }
  if (taken.has(answer.status) && (await look(http, url, headers, file)) !== undefined) {
    answer.stream.resume();
    return false;
  }
  throw await http.refusal(url, 'PUT', answer);
}

function isAbsent(status: number): boolean {
  return status === 404 || status === 410;
}

function readSize(text: string | undefined): number | undefined {
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
}

/** Returns the header with the caller's credentials: those of the address, else those of the variable. */
function authorizationOf(url: URL, variable: string, redactor: Redactor): Record<string, string> {
  if (url.username === '' && url.password === '') {
    const words = variable.split(/\s+/);
    for (const word of words.length > 1 ? words.slice(1) : words) redactor.add(word);
    return variable === '' ? {} : { Authorization: variable };
  }
  const [user, password] = [decode(url.username), decode(url.password)];
  const pair = Buffer.from(`${user}:${password}`).toString('base64');
  for (const word of [password, pair]) redactor.add(word);
  return { Authorization: `Basic ${pair}` };
}

/** Decodes `%40` and the like; a lone `%` means itself. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function urlOf(at: Destination): URL {
  if (at.kind !== 'http') throw new GbuildError('bug', `${formatDestination(at)} is no HTTP address`);
  return at.url;
}
