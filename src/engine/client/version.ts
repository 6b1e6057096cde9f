import type { IncomingMessage } from 'node:http';
import { GbuildError } from '../../errors.ts';
import type { Endpoint } from '../endpoint/endpoint.ts';
import { EngineRefusalError } from './failures.ts';
import type { EngineRequest } from './request.ts';

/** Newest engine API that gbuild was tested with (engine 28), and the oldest that has what it needs (engine 20.10). */
const newest = '1.51';
const oldest = '1.41';

/** Time limits in milliseconds: for an engine, and with a person whom ssh first asks for a password. */
const longest = 30_000;
const typing = 300_000;

/** Part of a client that sends requests before the API version is known. */
export interface UnversionedClient {
  endpoint: Endpoint;
  /** Time limit in milliseconds. */
  requestTimeout: number;
  sendTo(path: string, request: EngineRequest): Promise<IncomingMessage>;
  readText(answer: IncomingMessage, what: string): Promise<string>;
}

/** Reads the engine's API version (`GET /_ping`, header `Api-Version`) and returns the lower of its and gbuild's. */
export async function negotiateVersion(client: UnversionedClient): Promise<string> {
  const answer = await client.sendTo('/_ping', {
    what: 'report its API version',
    method: 'GET',
    path: '/_ping',
    within: client.endpoint.ssh?.mayAsk ? typing : Math.min(longest, client.requestTimeout),
  });
  const text = await client.readText(answer, 'report its API version');
  if (answer.statusCode !== 200)
    throw new EngineRefusalError(client.endpoint, 'report its API version', answer.statusCode ?? 0, text.trim());
  const theirs = String(answer.headers['api-version'] ?? '');
  if (!/^\d+\.\d+$/.test(theirs))
    throw new GbuildError(
      'engine-failed',
      `what answers at ${client.endpoint.url} is not a container engine: /_ping names no API version`,
      {
        suggestions: ['gbuild doctor'],
        facts: { endpoint: client.endpoint.url },
      },
    );
  if (isOlder(theirs, oldest))
    throw new GbuildError(
      'engine-failed',
      `the engine at ${client.endpoint.url} speaks API ${theirs}; gbuild needs ${oldest} or later (Docker 20.10, podman 4)`,
      {
        suggestions: ['upgrade the engine', 'gbuild doctor'],
        facts: { endpoint: client.endpoint.url, apiVersion: theirs },
      },
    );
  return isOlder(theirs, newest) ? theirs : newest;
}

/** Compares API versions (`1.41`). */
export function isOlder(version: string, than: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [otherMajor = 0, otherMinor = 0] = than.split('.').map(Number);
  return major < otherMajor || (major === otherMajor && minor < otherMinor);
}
