import type { IncomingHttpHeaders } from 'node:http';
import { GbuildError } from '../../errors.ts';
import type { Place } from './failures.ts';
import { isTransientStatus, parseRetryAfter, TransientError } from './retry.ts';

/** Answer with an error status. */
export interface Refusal {
  status: number;
  headers: IncomingHttpHeaders;
  /** Start of its body. */
  text: string;
}

/** Returns the failure for an unwanted status: a TransientError, or the final error. */
export function refusalFailure(place: Place, refusal: Refusal): Error {
  const { status, headers } = refusal;
  const explain = (tries: number) => refused(place, refusal, tries);
  if (!isTransientStatus(status)) return explain(1);
  return new TransientError(explain, { pause: parseRetryAfter(headers) });
}

function refused({ registry, what }: Place, refusal: Refusal, tries: number): GbuildError {
  const { status } = refusal;
  const { why, suggestions = [] } = explainStatus(registry, refusal);
  const said = readRegistryError(refusal.text);
  const often = tries > 1 ? `, ${tries} times in a row` : '';
  const reason = `${why}${said === undefined ? '' : `: ${said}`} (HTTP ${status}${often})`;
  return new GbuildError(
    status === 403 ? 'registry-denied' : 'registry-failed',
    `the registry ${registry} refused to ${what}: ${reason}`,
    {
      suggestions,
      facts: { registry, status, ...(tries > 1 && { tries }) },
    },
  );
}

function explainStatus(registry: string, { status, headers }: Refusal): { why: string; suggestions?: string[] } {
  if (status >= 300 && status < 400) return { why: 'it redirects to a place that gbuild does not follow to' };
  if (status === 403) return { why: 'you are not allowed to do this there', suggestions: [`docker login ${registry}`] };
  if (status === 404) return { why: 'it was not found' };
  if (status === 405) return { why: 'it does not allow that: it may be read-only, or a mirror' };
  if (status === 413) return { why: 'that is too large for it, or it has no room for it' };
  if (status === 507) return { why: 'it has no room left' };
  if (status === 429)
    return {
      why: `it gets too many requests${pauseOf(headers)}`,
      suggestions: [`docker login ${registry}   # often allows more`],
    };
  if (status >= 500) return { why: `it has an error of its own${pauseOf(headers)}` };
  return { why: 'it refused' };
}

function pauseOf(headers: IncomingHttpHeaders): string {
  const pause = parseRetryAfter(headers);
  return pause === undefined ? '' : ` and asks to wait ${Math.ceil(pause / 1000)} s`;
}

const longestSaying = 300;

/** Reads the registry's own words (distribution-spec, "Error Codes"): `manifest unknown (MANIFEST_UNKNOWN)`. */
export function readRegistryError(text: string): string | undefined {
  const said = parseErrors(text)
    .map(({ code, message }) => (message && code ? `${message} (${code})` : message || code))
    .filter(Boolean)
    .join('; ');
  return said === '' ? undefined : tame(said);
}

/** Parses `Warning: 299 - "text"`, a registry's message to its users. */
export function parseWarnings({ warning = '' }: IncomingHttpHeaders): string[] {
  const found = [...warning.matchAll(/(?:^|,)\s*299 - "((?:[^"\\]|\\.)*)"/g)];
  return found.map(([, text = '']) => tame(text.replaceAll(/\\(.)/g, '$1')));
}

function tame(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: a terminal would obey them
  return text.replaceAll(/[\x00-\x1f\x7f-\x9f]+/g, ' ').slice(0, longestSaying);
}

/** Whether the registry names this error code. */
export function hasErrorCode(text: string, code: string): boolean {
  return parseErrors(text).some((each) => each.code === code);
}

function parseErrors(text: string): { code?: string; message?: string }[] {
  try {
    const { errors } = JSON.parse(text) as { errors?: unknown };
    const list: unknown[] = Array.isArray(errors) ? errors : [];
    return list.filter((each): each is object => typeof each === 'object' && each !== null).map(pickError);
  } catch {
    return [];
  }
}

function pickError(entry: { code?: unknown; message?: unknown }): { code?: string; message?: string } {
  const { code, message } = entry;
  return { ...(typeof code === 'string' && { code }), ...(typeof message === 'string' && { message }) };
}
