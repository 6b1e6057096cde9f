import { type IncomingMessage, request } from 'node:http';
import type { Readable } from 'node:stream';

/** Asks an engine directly, without gbuild's client, so that tests see its real state. */
export async function askEngine(
  host: string,
  method: string,
  path: string,
  options: { json?: unknown; body?: Readable; headers?: Record<string, string> } = {},
): Promise<{ status: number; text: string }> {
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    const type = options.body === undefined ? 'application/json' : 'application/x-tar';
    const headers = { 'Content-Type': type, ...options.headers };
    const outgoing = request({ ...addressOf(host), method, path, headers, timeout: 120_000 }, resolve);
    outgoing.on('error', reject).on('timeout', () => outgoing.destroy(new Error(`${host} did not answer ${path}`)));
    if (options.body !== undefined) options.body.on('error', (error) => outgoing.destroy(error)).pipe(outgoing);
    else outgoing.end(options.json === undefined ? undefined : JSON.stringify(options.json));
  });
  const chunks: Buffer[] = [];
  for await (const chunk of answer) chunks.push(chunk as Buffer);
  return { status: answer.statusCode ?? 0, text: Buffer.concat(chunks).toString('utf8') };
}

/** Whether an engine answers there. */
export async function answers(host: string): Promise<boolean> {
  try {
    return (await askEngine(host, 'GET', '/_ping')).status === 200;
  } catch {
    return false;
  }
}

/** Returns the address of an engine for node:http. */
export function addressOf(host: string): { socketPath: string } | { host: string; port: string } {
  if (host.startsWith('unix://')) return { socketPath: host.slice('unix://'.length) };
  const { hostname, port } = new URL(host);
  return { host: hostname, port };
}
