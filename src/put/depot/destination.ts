import { fileURLToPath } from 'node:url';
import { GbuildError } from '../../errors.ts';
import { escapeLine } from '../../escape.ts';
import { hostnameOf, isLoopback } from '../../registry/http/address.ts';
import { formatUrl } from '../../registry/http/redact.ts';

/** Place for files. With `isFolder` each file goes below it under its path; else one file goes exactly there. */
export type Destination =
  | { kind: 's3'; isFolder: boolean; bucket: string; key: string }
  | { kind: 'http'; isFolder: boolean; url: URL }
  | { kind: 'file'; isFolder: boolean; path: string };

/** Name of a bucket, as S3 allows it (also by other servers): no dot or dash at its ends. */
const bucketName = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;

/**
 * Parses a destination. @throws GbuildError `usage` for anything but `s3://BUCKET/KEY`, `https://HOST/PATH` and
 * `file:///PATH`; `http:` is only for this machine.
 */
export function parseDestination(text: string): Destination {
  const [, scheme, rest] = /^([a-z0-9]+):\/\/(.*)$/is.exec(text) ?? [];
  if (scheme?.toLowerCase() === 's3') return parseS3(text, rest ?? '');
  const url = scheme !== undefined && URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol === 'file:') return parseFile(url, text);
  if (url?.protocol === 'https:' || url?.protocol === 'http:') return parseHttp(url);
  throw refuse(hideUser(text), 'is not an address that files can be put at');
}

/** Returns the destination of one file: itself, or the file's path below it. */
export function destinationOf(destination: Destination, path: string): Destination {
  if (!destination.isFolder) return destination;
  assertPath(path);
  if (destination.kind === 's3') return { ...destination, isFolder: false, key: `${destination.key}${path}` };
  if (destination.kind === 'file') return { ...destination, isFolder: false, path: `${destination.path}${path}` };
  const url = new URL(destination.url);
  url.pathname += path.split('/').map(encodeURIComponent).join('/');
  return { ...destination, isFolder: false, url };
}

/** Formats a destination for printing: without user, password and the secrets of a query. */
export function formatDestination(destination: Destination): string {
  if (destination.kind === 's3') return escapeLine(`s3://${destination.bucket}/${destination.key}`);
  if (destination.kind === 'file') return escapeLine(`file://${destination.path}`);
  return formatUrl(destination.url);
}

function parseS3(text: string, rest: string): Destination {
  // A key is taken as it is written: `?`, `#` and `%` are characters of it.
  const [, bucket = '', key = ''] = /^([^/]*)(?:\/(.*))?$/s.exec(rest) ?? [];
  if (!bucketName.test(bucket)) throw refuse(hideUser(text), 'names no bucket of S3');
  if (!rest.includes('/')) throw refuse(text, 'has no key', [`${text}/   # the files under their paths`]);
  const isFolder = key === '' || key.endsWith('/');
  if (key !== '') assertSegments(text, isFolder ? key.slice(0, -1) : key);
  return { kind: 's3', isFolder, bucket, key };
}

/** A client or a server on the way would drop or resolve such parts, and the file would get another key. */
function assertSegments(text: string, key: string): void {
  if (key.split('/').some((part) => ['', '.', '..'].includes(part)))
    throw refuse(text, 'has an empty part, . or .. in its key');
}

function parseFile(url: URL, text: string): Destination {
  if (url.host !== '' || !text.slice('file://'.length).startsWith('/') || url.search !== '' || url.hash !== '')
    throw refuse(hideUser(text), 'is not file:// with an absolute path');
  let path: string;
  try {
    path = fileURLToPath(url);
  } catch {
    throw refuse(text, 'is not file:// with an absolute path');
  }
  return { kind: 'file', isFolder: path.endsWith('/'), path };
}

function parseHttp(url: URL): Destination {
  if (url.protocol === 'http:' && !isLoopback(hostnameOf(url.host)))
    throw refuse(formatUrl(url), 'is not encrypted, and not on this machine', [
      formatUrl(url).replace(/^http:/, 'https:'),
    ]);
  return { kind: 'http', isFolder: url.pathname.endsWith('/'), url };
}

function assertPath(path: string): void {
  if (path.split('/').some((part) => ['', '.', '..'].includes(part)))
    throw new GbuildError('bug', `${escapeLine(path)} is not a path below a folder`);
}

/** Removes what is before an @ in the host's place: it may be a password. */
function hideUser(text: string): string {
  return text.replace(/^([^/]*\/\/)?[^/]*@/, '$1');
}

function refuse(shown: string, why: string, suggestions: string[] = []): GbuildError {
  return new GbuildError('usage', `${escapeLine(shown) || 'an empty text'} ${why}`, {
    suggestions: [
      ...suggestions.map((each) => `--put ${escapeLine(each)}`),
      '--put s3://BUCKET/KEY, --put https://HOST/PATH or --put file:///PATH',
    ],
  });
}
