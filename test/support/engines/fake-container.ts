import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex, Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { extract, type Headers } from 'tar-fs';

/** Part of POST /containers/create that the fake uses. */
export interface CreateBody {
  Image: string;
  Cmd: string[];
  Env?: string[];
  Labels?: Record<string, string>;
  OpenStdin?: boolean;
  HostConfig?: {
    Mounts?: { Type: string; Source: string; Target: string }[];
    PortBindings?: Record<string, { HostIp: string; HostPort: string }[]>;
  };
}

/**
 * Container that is a process of the host: no isolation, but real exit codes, streams and signals. Paths of its mounts
 * and of its files are rewritten in its command.
 */
export class FakeContainer {
  readonly id: string;
  readonly body: CreateBody;
  readonly exit: Promise<number>;
  readonly #rootDir = mkdtempSync(join(tmpdir(), 'gbuild-fake-'));
  readonly #putPaths: string[] = [];
  #settle: (code: number) => void = () => {};
  #code: number | undefined;
  #process: ChildProcess | undefined;
  #client: Duplex | undefined;

  constructor(id: string, body: CreateBody) {
    this.id = id;
    this.body = body;
    this.exit = new Promise((resolve) => {
      this.#settle = resolve;
    });
  }

  /** Returns the state as GET /containers/{id}/json has it. */
  get state(): { Status: string; Running: boolean; ExitCode: number } {
    if (this.#code !== undefined) return { Status: 'exited', Running: false, ExitCode: this.#code };
    const isRunning = this.#process !== undefined;
    return { Status: isRunning ? 'running' : 'created', Running: isRunning, ExitCode: 0 };
  }

  attach(client: Duplex): void {
    this.#client = client;
    client.on('error', () => {});
  }

  /** Returns the host's path of a container's path. */
  hostPath(path: string): string {
    const mounts = this.body.HostConfig?.Mounts ?? [];
    const mount = mounts.find(({ Target }) => path === Target || path.startsWith(`${Target}/`));
    return mount === undefined ? join(this.#rootDir, path) : join(mount.Source, path.slice(mount.Target.length));
  }

  /** Handles PUT /archive. */
  async put(tar: Readable): Promise<void> {
    const place = (header: Headers): Headers => {
      const path = `/${header.name}`.replace(/\/$/, '');
      this.#putPaths.push(path);
      return { ...header, name: this.hostPath(path) };
    };
    await pipeline(tar, extract('/', { map: place }));
  }

  start(): void {
    const [program = 'true', ...args] = this.body.Cmd.map((word) => this.#rewrite(word));
    const env = Object.fromEntries(
      (this.body.Env ?? []).map((pair) => [pair.split('=')[0]!, pair.replace(/^[^=]*=/, '')]),
    );
    const workspace = this.hostPath('/workspace');
    const cwd = existsSync(workspace) ? workspace : this.#rootDir;
    // The process has its own group: like the container's end, a kill ends the children too.
    const child = spawn(program, args, { cwd, env, detached: true, stdio: ['pipe', 'pipe', 'pipe'] });
    this.#process = child;
    child.on('error', () => {
      this.#send(2, Buffer.from(`[FATAL tini (7)] exec ${program} failed: No such file or directory\n`));
      this.#end(127);
    });
    child.stdout.on('data', (chunk: Buffer) => this.#send(1, chunk, child.stdout));
    child.stderr.on('data', (chunk: Buffer) => this.#send(2, chunk, child.stderr));
    child.stdin.on('error', () => {});
    if (this.body.OpenStdin) this.#client?.pipe(child.stdin);
    child.on('exit', (code, signal) => {
      this.signal('SIGKILL');
      child.once('close', () => this.#end(code ?? (signal === 'SIGKILL' ? 137 : 143)));
    });
  }

  signal(name: NodeJS.Signals): void {
    try {
      if (this.#process?.pid !== undefined) process.kill(-this.#process.pid, name);
    } catch {
      // The process has ended.
    }
  }

  /** Sends raw bytes on the attached connection, for broken streams. */
  sendRaw(bytes: Buffer): void {
    this.#client?.write(bytes);
  }

  remove(): void {
    this.signal('SIGKILL');
    this.#client?.destroy();
    this.#end(137);
    rmSync(this.#rootDir, { recursive: true, force: true });
  }

  #rewrite(word: string): string {
    return this.#putPaths.reduce(
      (text, path) => text.replaceAll(new RegExp(`(^| )${path}(?= |$)`, 'g'), `$1${this.hostPath(path)}`),
      word,
    );
  }

  #send(stream: number, data: Buffer, source?: Readable): void {
    const header = Buffer.alloc(8);
    header[0] = stream;
    header.writeUInt32BE(data.length, 4);
    const room = this.#client?.write(Buffer.concat([header, data])) ?? true;
    if (room || source === undefined) return;
    source.pause();
    this.#client?.once('drain', () => source.resume());
  }

  #end(code: number): void {
    this.#client?.end();
    this.#code ??= code;
    this.#settle(code);
  }
}
