import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { digestOf } from '../../../src/oci/digest.ts';
import { mediaTypes } from '../../../src/oci/spec.ts';
import { type Issued, readIssued } from '../network/authority.ts';

/**
 * Registry in memory that follows distribution-spec 1.1 exactly, where Debian's is older. It has the referrers API,
 * keeps the received part of a chunk, requires chunks of a least size, and lists tags and referrers in pages.
 */
export interface SpecRegistry extends AsyncDisposable {
  /** Address as `127.0.0.1:PORT`. */
  host: string;
}

interface Repository {
  blobs: Map<string, Buffer>;
  manifests: Map<string, { bytes: Buffer; mediaType: string }>;
  tags: Map<string, string>;
}

interface Exchange {
  incoming: IncomingMessage;
  url: URL;
  repository: Repository;
  name: string;
  reply(status: number, headers?: Record<string, string | number>, body?: Buffer): void;
}

export interface SpecRegistryOptions {
  tls?: Issued;
  pageSize?: number;
  leastChunk?: number;
}

export async function startSpecRegistry({
  pageSize = 2,
  leastChunk,
  tls,
}: SpecRegistryOptions = {}): Promise<SpecRegistry> {
  const repositories = new Map<string, Repository>();
  const uploads = new Map<string, Buffer>();
  const repositoryOf = (name: string) => {
    const known = repositories.get(name) ?? { blobs: new Map(), manifests: new Map(), tags: new Map() };
    repositories.set(name, known);
    return known;
  };
  const serve = (incoming: IncomingMessage, answer: ServerResponse) => {
    incoming.on('error', () => {});
    const url = new URL(incoming.url ?? '/', 'http://registry');
    const [, name = '', kind = '', rest = ''] =
      /^\/v2\/(.+?)\/(blobs\/uploads|blobs|manifests|referrers|tags)\/(.*)$/.exec(url.pathname) ?? [];
    const reply = replyTo(incoming, answer);
    const exchange = { incoming, url, repository: repositoryOf(name), name, reply };
    const start = (digest: string) => repositoryOf(url.searchParams.get('from') ?? '').blobs.get(digest);
    if (kind === '') reply(url.pathname === '/v2/' ? 200 : 404);
    else if (kind === 'blobs/uploads') void serveUpload(exchange, uploads, rest, { leastChunk, start });
    else if (kind === 'blobs') serveBlob(exchange, rest);
    else if (kind === 'manifests') void serveManifest(exchange, rest);
    else if (kind === 'referrers') serveReferrers(exchange, rest, pageSize);
    else serveTags(exchange, pageSize);
  };
  const server = tls === undefined ? createServer(serve) : createSecureServer(readIssued(tls), serve);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function replyTo(incoming: IncomingMessage, answer: ServerResponse): Exchange['reply'] {
  return (status, headers = {}, body = Buffer.alloc(0)) => {
    const length = headers['Content-Length'] ?? body.length;
    answer.writeHead(status, { ...headers, 'Content-Length': length });
    answer.end(incoming.method === 'HEAD' ? undefined : body);
  };
}

interface UploadOptions {
  leastChunk: number | undefined;
  start(digest: string): Buffer | undefined;
}

async function serveUpload(
  { incoming, url, repository, name, reply }: Exchange,
  uploads: Map<string, Buffer>,
  id: string,
  { leastChunk, start }: UploadOptions,
): Promise<void> {
  const { method = '', headers } = incoming;
  const mounted = url.searchParams.get('mount');
  const found = mounted === null ? undefined : start(mounted);
  if (mounted !== null && found !== undefined) {
    repository.blobs.set(mounted, found);
    return reply(201, { Location: `/v2/${name}/blobs/${mounted}` });
  }
  const session = method === 'POST' ? randomUUID() : id;
  const state = (): Record<string, string | number> => {
    const end = uploads.get(session)!.length - 1;
    return { Location: `/v2/${name}/blobs/uploads/${session}?state=a%2Bb`, ...(end >= 0 && { Range: `0-${end}` }) };
  };
  if (method === 'POST') {
    uploads.set(session, Buffer.alloc(0));
    return reply(202, { ...state(), ...(leastChunk && { 'OCI-Chunk-Min-Length': leastChunk }) });
  }
  const known = uploads.get(session);
  if (known === undefined) return refuse(reply, 404, 'BLOB_UPLOAD_UNKNOWN');
  if (url.searchParams.get('state') !== 'a+b') return refuse(reply, 400, 'BLOB_UPLOAD_INVALID');
  if (method === 'DELETE') return void (uploads.delete(session) && reply(204));
  if (method === 'GET') return reply(204, state());
  const range = headers['content-range'];
  if (range !== undefined && Number(range.split('-')[0]) !== known.length) return reply(416, state());
  const received = await readBody(incoming);
  uploads.set(session, Buffer.concat([known, received]));
  if (method === 'PATCH') return reply(202, state());
  const [digest, bytes] = [url.searchParams.get('digest') ?? '', uploads.get(session)!];
  if (digest !== digestOf(bytes)) return refuse(reply, 400, 'DIGEST_INVALID');
  repository.blobs.set(digest, bytes);
  uploads.delete(session);
  reply(201, { Location: `/v2/${name}/blobs/${digest}`, 'Docker-Content-Digest': digest });
}

/** Reads the received bytes, also of a truncated body. */
async function readBody(incoming: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
  } catch {
    // The received part is kept.
  }
  return Buffer.concat(chunks);
}

function serveBlob({ incoming, repository, reply }: Exchange, digest: string): void {
  const bytes = repository.blobs.get(digest);
  const from = Number(/^bytes=(\d+)-\d*$/.exec(incoming.headers.range ?? '')?.[1] ?? 0);
  if (bytes === undefined) refuse(reply, 404, 'BLOB_UNKNOWN');
  else if (from === 0) reply(200, { 'Docker-Content-Digest': digest }, bytes);
  else reply(206, { 'Content-Range': `bytes ${from}-${bytes.length - 1}/${bytes.length}` }, bytes.subarray(from));
}

async function serveManifest({ incoming, repository, name, reply }: Exchange, reference: string): Promise<void> {
  const { manifests, tags } = repository;
  if (incoming.method === 'PUT') {
    const bytes = await readBody(incoming);
    const digest = digestOf(bytes);
    const { subject } = JSON.parse(bytes.toString()) as { subject?: { digest: string } };
    manifests.set(digest, { bytes, mediaType: incoming.headers['content-type'] ?? '' });
    if (!reference.includes(':')) tags.set(reference, digest);
    const said = { Location: `/v2/${name}/manifests/${digest}`, 'Docker-Content-Digest': digest };
    return reply(201, { ...said, ...(subject && { 'OCI-Subject': subject.digest }) });
  }
  const digest = tags.get(reference) ?? reference;
  const found = manifests.get(digest);
  if (found === undefined) return refuse(reply, 404, 'MANIFEST_UNKNOWN');
  if (incoming.method === 'DELETE') {
    manifests.delete(digest);
    for (const [tag, named] of tags) if (named === digest) tags.delete(tag);
    return reply(202);
  }
  reply(200, { 'Content-Type': found.mediaType, 'Docker-Content-Digest': digest }, found.bytes);
}

function serveReferrers({ url, repository, name, reply }: Exchange, digest: string, pageSize: number): void {
  const all = [...repository.manifests].flatMap(([each, { bytes, mediaType }]) => {
    const { subject, artifactType, annotations } = JSON.parse(bytes.toString());
    return subject?.digest === digest
      ? [{ mediaType, digest: each, size: bytes.length, artifactType, annotations }]
      : [];
  });
  const from = Number(url.searchParams.get('from') ?? 0);
  const manifests = all.slice(from, from + pageSize);
  const next = `/v2/${name}/referrers/${digest}?from=${from + pageSize}`;
  const body = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.index, manifests }));
  reply(
    200,
    { 'Content-Type': mediaTypes.index, ...(from + pageSize < all.length && { Link: `<${next}>; rel="next"` }) },
    body,
  );
}

function serveTags({ url, repository, name, reply }: Exchange, pageSize: number): void {
  const last = url.searchParams.get('last') ?? '';
  const left = [...repository.tags.keys()].sort().filter((tag) => tag > last);
  const tags = left.slice(0, pageSize);
  const next = `/v2/${name}/tags/list?last=${tags.at(-1)}&n=${pageSize}`;
  if (repository.manifests.size === 0) refuse(reply, 404, 'NAME_UNKNOWN');
  else
    reply(
      200,
      { ...(left.length > pageSize && { Link: `<${next}>; rel="next"` }) },
      Buffer.from(JSON.stringify({ name, tags })),
    );
}

function refuse(reply: Exchange['reply'], status: number, code: string): void {
  const message = code.toLowerCase().replaceAll('_', ' ');
  reply(status, {}, Buffer.from(JSON.stringify({ errors: [{ code, message }] })));
}
