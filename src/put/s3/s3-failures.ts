import { GbuildError, messageOf } from '../../errors.ts';
import { escapeLine, quoteWord } from '../../escape.ts';
import type { Redactor } from '../../registry/http/redact.ts';
import { describeConnection, hintsFor } from '../depot/connection-hints.ts';
import { type Destination, formatDestination } from '../depot/destination.ts';
import type { S3Settings } from './s3-settings.ts';

/** Error of the SDK: the service's code as `name`, and the status of its answer. */
interface S3Error extends Error {
  $metadata?: { httpStatusCode?: number; attempts?: number };
  code?: string;
}

/** Returns the status of the answer; 0 where none came. */
export function statusOf(thrown: unknown): number {
  return (thrown as S3Error | undefined)?.$metadata?.httpStatusCode ?? 0;
}

/** Whether the server does not know conditional writes; AWS and most others do. */
export function knowsNoCondition(thrown: unknown): boolean {
  return statusOf(thrown) === 501 || (statusOf(thrown) === 400 && (thrown as S3Error).name === 'NotImplemented');
}

/** Explains a failure of the SDK. Its own error is dropped: it holds the request with its signature. */
export function explainS3(
  thrown: unknown,
  at: Destination,
  what: 'read' | 'write',
  settings: S3Settings,
  redactor: Redactor,
): GbuildError {
  if (thrown instanceof GbuildError) return thrown;
  const { name, code } = thrown as S3Error;
  const status = statusOf(thrown);
  const url = formatDestination(at);
  const place = settings.endpoint ?? `AWS, region ${settings.region}`;
  const facts = { url, region: settings.region, ...(settings.endpoint && { endpoint: settings.endpoint }) };
  const said = escapeLine(redactor.mask(messageOf(thrown)));
  if (status === 0) {
    const where = settings.endpoint === undefined ? undefined : new URL(settings.endpoint);
    const test = where === undefined ? [] : [`curl -v ${quoteWord(where.origin)}`];
    return new GbuildError(
      'network-failed',
      `cannot ${what} ${url} (${place}): ${redactor.mask(describeConnection(thrown))}`,
      {
        suggestions: [...test, ...hintsFor(code ?? '', where?.hostname), 'run the same command again'],
        facts: { ...facts, ...(code !== undefined && { code }) },
      },
    );
  }
  // An answer to HEAD has no text: the SDK then makes a name and a message up.
  const words = /^(Unknown|UnknownError|NotFound|\d+)$/.test(name) ? '' : `${escapeLine(name)}: ${said} `;
  const isDenied = status === 401 || status === 403;
  return new GbuildError(
    isDenied ? 'registry-denied' : 'network-failed',
    `cannot ${what} ${url} (${place}): ${words}(HTTP ${status})`,
    { suggestions: suggestionsFor(name, status, at, settings), facts: { ...facts, status, error: name } },
  );
}

/** Codes that mean the key or its signature, not its rights. */
const wrongKey = new Set([
  'InvalidAccessKeyId',
  'SignatureDoesNotMatch',
  'InvalidToken',
  'ExpiredToken',
  'TokenRefreshRequired',
]);

function suggestionsFor(name: string, status: number, at: Destination, { profile, region }: S3Settings): string[] {
  const bucket = at.kind === 's3' ? at.bucket : '';
  if (name === 'NoSuchBucket') return [`aws s3 mb s3://${bucket} --region ${region}`, `aws s3 ls`];
  if (name === 'RequestTimeTooSkewed') return ['date   # is it right?'];
  if (wrongKey.has(name) || status === 401)
    return [
      'aws sts get-caller-identity',
      profile === undefined ? 'export AWS_PROFILE=NAME' : `aws sso login --profile ${profile}`,
    ];
  if (status === 403)
    return [
      `let the caller do s3:GetObject and s3:PutObject on arn:aws:s3:::${bucket}/*`,
      'aws sts get-caller-identity',
    ];
  if (status === 301) return ['export AWS_REGION=REGION   # the bucket is in another one'];
  return ['run the same command again'];
}
