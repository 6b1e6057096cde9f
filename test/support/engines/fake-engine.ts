import { randomBytes } from 'node:crypto';
import { existsSync, lstatSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { type CreateBody, FakeContainer } from './fake-container.ts';

/** Faults of the fake, and fixed answers for what it cannot do. May be changed at any time. */
export interface Faults {
  apiVersion?: string;
  /** Whether /_ping answers like another HTTP server. */
  foreign?: boolean;
  /** Folder that HEAD /archive describes instead: an engine on another machine. */
  blind?: 'other folder' | 'empty folder';
  /** Unit of nanoseconds for the times of HEAD /archive, or an addition to a size; `beforeStat` runs just before it. */
  coarse?: bigint;
  sizeOffset?: number;
  beforeStat?: () => void;
  /** Refusal of POST /start, with this code in the container's state. */
  startRefused?: { status: number; exitCode: number; message: string };
  /** Whether no request is answered any more, with connections left open. */
  silent?: boolean;
  /** Number of 409 answers of DELETE before the container is gone. */
  removalsInProgress?: number;
  /** Lines or raw text of the progress streams. */
  load?: { status?: number; text: string };
  pull?: { status?: number; text: string };
  build?: { status?: number; text: string };
}

/** Image as `docker save` returns it. */
export interface SavedImage {
  id: string;
  tags: string[];
  diffIds: string[];
  archive: Buffer;
}

const knownImage = 'gbuild-test/base:fake';
const imageId = `sha256:${'b'.repeat(64)}`;

/** Engine at a socket: it speaks the Docker API, and its containers are processes of the host. */
export class FakeEngine implements AsyncDisposable {
  readonly image = knownImage;
  readonly faults: Faults = {};
  /** Every request as `METHOD path`, without the version. */
  readonly requests: string[] = [];
  /** Number of opened connections. */
  connections = 0;
  readonly containers = new Map<string, FakeContainer>();
  readonly #names = new Map<string, string>();
  /** Images that can be saved, in addition to the known one. */
  readonly savedImages: SavedImage[] = [];
  readonly #bound = new Map<string, Record<string, { HostPort: string }[]>>();
  readonly #dir = mkdtempSync(join(tmpdir(), 'gbuild-fake-socket-'));
  readonly #sockets = new Set<Socket>();
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((request, response) => {
      this.#route(request, response).catch((thrown: unknown) => {
        if (!response.headersSent) send(response, 500, { message: String(thrown) });
      });
    });
    this.#server.on('connection', (socket) => {
      this.connections += 1;
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket)).on('error', () => {});
    });
    this.#server.on('upgrade', (request, socket) => this.#attach(request, socket as Socket));
  }

  static async start(): Promise<FakeEngine> {
    const engine = new FakeEngine();
    await new Promise<void>((resolve) => engine.#server.listen(join(engine.#dir, 'docker.sock'), resolve));
    return engine;
  }

  get host(): string {
    return `unix://${join(this.#dir, 'docker.sock')}`;
  }

  /** Breaks every connection and accepts no new one, like an engine whose process died. */
  die(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.die();
    for (const container of this.containers.values()) container.remove();
    rmSync(this.#dir, { recursive: true, force: true });
  }

  #attach(request: IncomingMessage, socket: Socket): void {
    const id = /containers\/(\w+)\/attach/.exec(request.url ?? '')?.[1] ?? '';
    socket.write(
      'HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.raw-stream\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n',
    );
    this.containers.get(id)?.attach(socket);
  }

  async #route(request: IncomingMessage, response: ServerResponse): Promise<unknown> {
    const url = new URL(request.url ?? '/', 'http://engine');
    const path = url.pathname.replace(/^\/v\d+\.\d+/, '');
    this.requests.push(`${request.method} ${path}`);
    if (this.faults.silent) return undefined;
    const inContainer = /^\/containers\/([\w-]+)(?:\/(\w+))?$/.exec(path);
    if (inContainer !== null && !['create', 'json'].includes(inContainer[1]!))
      return this.#routeContainer(request, response, inContainer[1]!, inContainer[2] ?? '', url.searchParams);
    if (path === '/_ping') {
      if (!this.faults.foreign) response.setHeader('Api-Version', this.faults.apiVersion ?? '1.41');
      return send(response, 200, 'OK');
    }
    if (path === '/info')
      return send(response, 200, {
        ID: 'FAKE',
        Name: 'fake',
        OSType: 'linux',
        NCPU: 2,
        MemTotal: 1 << 30,
        SecurityOptions: ['name=seccomp,profile=default'],
      });
    if (path === '/version')
      return send(response, 200, { Version: '20.10.24', Arch: 'amd64', Components: [{ Name: 'Engine' }] });
    if (path === '/containers/create')
      return this.#create(
        JSON.parse(await readBody(request)) as CreateBody,
        url.searchParams.get('name') ?? '',
        response,
      );
    if (path === '/containers/json') return send(response, 200, this.#list(url.searchParams));
    if (path === '/volumes') return send(response, 200, { Volumes: null, Warnings: null });
    if (path === '/networks') return send(response, 200, []);
    if (path === '/images/json')
      return send(
        response,
        200,
        this.savedImages.map(({ id, tags }) => ({ Id: id, RepoTags: tags })),
      );
    const [, named, verb] = /^\/images\/(.+)\/(json|get)$/.exec(path) ?? [];
    const saved = this.savedImages.find(({ id, tags }) => [id, ...tags].includes(named ?? ''));
    if (saved !== undefined && verb === 'get') return response.writeHead(200).end(saved.archive);
    if (saved !== undefined)
      return send(response, 200, { Id: saved.id, RepoTags: saved.tags, RootFS: { Layers: saved.diffIds }, Config: {} });
    if (path === `/images/${knownImage}/json`)
      return send(response, 200, {
        Id: imageId,
        RepoTags: [knownImage],
        RootFS: { Layers: [] },
        Config: {},
        Os: 'linux',
        Architecture: 'amd64',
      });
    const canned = {
      '/images/load': this.faults.load,
      '/images/create': this.faults.pull,
      '/build': this.faults.build,
    }[path];
    if (request.method === 'POST') await readBody(request);
    if (canned !== undefined) return send(response, canned.status ?? 200, canned.text);
    return send(response, 404, { message: `the fake has no ${request.method} ${path}` });
  }

  #create(body: CreateBody, name: string, response: ServerResponse): ServerResponse {
    if (body.Image !== knownImage) return send(response, 404, { message: `No such image: ${body.Image}` });
    const missing = body.HostConfig?.Mounts?.find((mount) => mount.Type === 'bind' && !existsSync(mount.Source));
    if (missing !== undefined)
      return send(response, 400, { message: `bind source path does not exist: ${missing.Source}` });
    const id = randomBytes(32).toString('hex');
    this.containers.set(id, new FakeContainer(id, body));
    this.#names.set(name, id);
    return send(response, 201, { Id: id, Warnings: [] });
  }

  async #routeContainer(
    request: IncomingMessage,
    response: ServerResponse,
    id: string,
    verb: string,
    query: URLSearchParams,
  ): Promise<unknown> {
    const container = this.containers.get(this.#names.get(id) ?? id);
    if (container === undefined) return send(response, 404, { message: `No such container: ${id}` });
    const { method } = request;
    if (method === 'DELETE') return this.#remove(container, response);
    if (method === 'PUT') return container.put(request).then(() => send(response, 200, ''));
    if (method === 'HEAD') return this.#stat(container.hostPath(query.get('path') ?? '/'), response);
    if (verb === 'json') {
      const ExitCode = this.faults.startRefused?.exitCode;
      const NetworkSettings = { Ports: this.#bound.get(id) ?? {} };
      const State = { ...container.state, ...(ExitCode !== undefined && { ExitCode }), OOMKilled: false };
      const Config = { Labels: container.body.Labels ?? {} };
      return send(response, 200, { Id: container.id, State, Config, NetworkSettings });
    }
    if (verb === 'wait') {
      response.writeHead(200).flushHeaders();
      const StatusCode = await container.exit;
      return response.end(JSON.stringify({ StatusCode, Error: null }));
    }
    if (verb === 'start' && this.faults.startRefused !== undefined)
      return send(response, this.faults.startRefused.status, { message: this.faults.startRefused.message });
    if (verb === 'start') {
      const taken = this.#bindPorts(container);
      if (taken !== undefined) return send(response, 500, { message: `Bind for ${taken} failed` });
      container.start();
    }
    if (verb === 'stop') container.signal('SIGTERM');
    if (verb === 'kill') container.signal('SIGKILL');
    return send(response, 204, '');
  }

  /** Binds no port, but records taken ones. Returns a port that is already taken. */
  #bindPorts({ id, body }: FakeContainer): string | undefined {
    const wanted = Object.entries(body.HostConfig?.PortBindings ?? {});
    const taken = [...this.#bound.values()].flatMap((ports) => Object.values(ports).flat());
    const bound = wanted.map(([key, [first]], index) => [key, [{ HostPort: first?.HostPort || `${49_000 + index}` }]]);
    const ports: Record<string, { HostPort: string }[]> = Object.fromEntries(bound);
    const clash = wanted.find(([, [first]]) => taken.some(({ HostPort }) => HostPort === first?.HostPort));
    if (clash === undefined) this.#bound.set(id, ports);
    return clash?.[1][0]?.HostPort;
  }

  #remove(container: FakeContainer, response: ServerResponse): ServerResponse {
    const busy = this.faults.removalsInProgress ?? 0;
    this.faults.removalsInProgress = busy - 1;
    if (busy > 0) return send(response, 409, { message: 'removal of container is already in progress' });
    container.remove();
    this.containers.delete(container.id);
    this.#bound.delete(container.id);
    return send(response, 204, '');
  }

  #stat(hostPath: string, response: ServerResponse): ServerResponse {
    this.faults.beforeStat?.();
    const stats = lstatSync(hostPath, { throwIfNoEntry: false, bigint: true });
    const isWorkspace = stats?.isDirectory() ?? false;
    if (stats === undefined || (this.faults.blind === 'empty folder' && !isWorkspace)) return send(response, 404, '');
    const { blind, coarse = 1n, sizeOffset = 0 } = this.faults;
    const mtime = blind === undefined ? formatTime(stats.mtimeNs - (stats.mtimeNs % coarse)) : '2020-01-01T00:00:00.5Z';
    const stat = { name: basename(hostPath), size: Number(stats.size) + sizeOffset, mode: 0, mtime, linkTarget: '' };
    response.setHeader('X-Docker-Container-Path-Stat', Buffer.from(JSON.stringify(stat)).toString('base64'));
    return send(response, 200, '');
  }

  #list(query: URLSearchParams): object[] {
    const { label = [] } = JSON.parse(query.get('filters') ?? '{}') as { label?: string[] };
    const fits = (labels: Record<string, string>) =>
      label.every((wanted) =>
        wanted.includes('=') ? `${wanted.split('=')[0]}=${labels[wanted.split('=')[0]!]}` === wanted : wanted in labels,
      );
    const all = [...this.containers.values()].map(({ id, body }) => ({ Id: id, Labels: body.Labels ?? {} }));
    return all.filter(({ Labels }) => fits(Labels));
  }
}

function send(response: ServerResponse, status: number, content: object | string): ServerResponse {
  return response
    .writeHead(status)
    .end(typeof content === 'string' ? (status === 204 ? undefined : content) : JSON.stringify(content));
}

function formatTime(nanoseconds: bigint): string {
  const seconds = new Date(Number(nanoseconds / 1_000_000n)).toISOString().slice(0, 19);
  return `${seconds}.${String(nanoseconds % 1_000_000_000n).padStart(9, '0')}Z`;
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}
