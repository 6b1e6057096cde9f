import type { IncomingHttpHeaders } from 'node:http';
import { GbuildError } from '../../errors.ts';
import { escapeLine, quoteWord } from '../../escape.ts';
import { formatUrl, type Redactor } from '../../registry/http/redact.ts';
import { describeConnection, hintsFor } from '../depot/connection-hints.ts';

/** Request that failed. */
export interface FailedRequest {
  url: URL;
  method: string;
}

const longestSaying = 300;

/** Explains a connection that did not come about, or broke. */
export function explainFailure(
  { url, method }: FailedRequest,
  thrown: unknown,
  redactor: Redactor,
  tries: number,
): GbuildError {
  const shown = formatUrl(url);
  const { code } = thrown as NodeJS.ErrnoException;
  const why = redactor.mask(describeConnection(thrown));
  return new GbuildError('network-failed', `cannot ${verbOf(method)} ${shown}: ${why}${oftenOf(tries)}`, {
    suggestions: [`curl -v ${quoteWord(shown)}`, ...hintsFor(code ?? '', url.hostname)],
    facts: { url: shown, ...(code !== undefined && { code }), ...(tries > 1 && { tries }) },
  });
}

/** Explains an answer with a status that ends the work. */
export function explainStatus(
  { url, method }: FailedRequest,
  { status, headers }: { status: number; headers: IncomingHttpHeaders },
  text: string,
  tries: number,
): GbuildError {
  const shown = formatUrl(url);
  const isDenied = [401, 403, 407].includes(status);
  const { why, suggestions = [`curl -v ${quoteWord(shown)}`] } = explain(status, headers, url);
  const words = text
    .replaceAll(/<[^>]*>|\s+/g, ' ')
    .replaceAll(/ +/g, ' ')
    .trim()
    .slice(0, longestSaying);
  const said = words === '' ? '' : `\n  it says: ${escapeLine(words)}`;
  const message = `cannot ${verbOf(method)} ${shown}: ${why} (HTTP ${status}${oftenOf(tries)})${said}`;
  return new GbuildError(isDenied ? 'registry-denied' : 'network-failed', message, {
    suggestions,
    facts: { url: shown, status, ...(tries > 1 && { tries }) },
  });
}

function explain(status: number, headers: IncomingHttpHeaders, url: URL): { why: string; suggestions?: string[] } {
  const hasUser = url.username !== '' || url.password !== '';
  if (status === 401 || status === 403) {
    const why = hasUser ? 'it does not take the user and password of the address' : 'it does not take the credentials';
    return { why, suggestions: ["export GBUILD_PUT_AUTHORIZATION='Bearer TOKEN'"] };
  }
  if (status >= 300 && status < 400) return explainRedirect(headers, url);
  if (status === 404 || status === 409) return { why: 'it has no such folder, and makes none' };
  if (status === 405 || status === 501) return { why: 'it does not take files by PUT' };
  if (status === 413) return { why: 'the file is too large for it' };
  if (status === 429) return { why: 'it gets too many requests' };
  if (status === 507) return { why: 'it has no room left' };
  return { why: status >= 500 ? 'it has an error of its own' : 'it refused' };
}

/** The other place would get file and credentials: only the caller may say so. */
function explainRedirect({ location = '' }: IncomingHttpHeaders, url: URL): { why: string; suggestions?: string[] } {
  const why = 'it redirects, which gbuild does not follow';
  if (!URL.canParse(location, url.href)) return { why };
  const target = formatUrl(new URL(location, url));
  return {
    why: `${why}: to ${escapeLine(target)}`,
    suggestions: [`--put ${quoteWord(escapeLine(target))}   # if you trust it`],
  };
}

function verbOf(method: string): string {
  return method === 'PUT' ? 'write' : 'read';
}

function oftenOf(tries: number): string {
  return tries > 1 ? `, ${tries} times in a row` : '';
}
