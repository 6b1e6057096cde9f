import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { GbuildError } from '../../errors.ts';
import { formatTail } from '../../escape.ts';
import { findProgram } from '../../fs/find-program.ts';
import type { Host } from '../../host.ts';
import type { Endpoint } from './endpoint.ts';
import { type SocketCandidate, socketCandidates } from './sockets.ts';

/** Seconds without a request after which a service ends by itself, in case its process died. */
const idleSeconds = 300;
const mostTries = 600;

/**
 * Finds the podman that a run would start: the program exists, and no engine's socket does, not even one that the
 * caller may not use.
 */
export function findIdlePodman(host: Host, sockets: SocketCandidate[] = socketCandidates(host)): string | undefined {
  if (host.platform === 'win32' || sockets.some(({ path }) => existsSync(path))) return undefined;
  return findProgram('podman', host.env.PATH);
}

/**
 * Starts `podman system service` for this process alone, on a socket in a folder that only the caller may enter. It
 * ends when the endpoint is closed.
 *
 * @throws GbuildError `engine-unreachable` with podman's message
 */
export async function startPodmanService(host: Host, program: string, say: (text: string) => void): Promise<Endpoint> {
  const dir = makeFolder(host);
  const socketPath = join(dir, 'podman.sock');
  const url = `unix://${socketPath}`;
  say(`no engine is running: starting ${program} for this run, on ${url}`);
  const args = ['system', 'service', '--time', String(idleSeconds), url];
  // The service has its own process group: the terminal's interrupt is for gbuild, which then still needs its engine.
  const child = spawn(program, args, { env: host.env, stdio: ['ignore', 'ignore', 'pipe'], detached: true });
  const close = () => {
    // The folder is removed before podman removes its socket: two processes that empty a folder at the same time may
    // leave it.
    rmSync(dir, { recursive: true, force: true });
    child.kill('SIGTERM');
  };
  await waitForSocket(child, socketPath, `${program} ${args.join(' ')}`).catch((thrown: unknown) => {
    close();
    throw thrown;
  });
  const reason = `nothing names an engine, no socket is there, and ${program} is: gbuild runs it for itself`;
  return { url, socketPath, source: 'podman program', reason, warnings: [], close };
}

/** Makes a folder for this process; removes the folders of dead processes. */
function makeFolder(host: Host): string {
  const parent = parentOf(host);
  mkdirSync(parent, { recursive: true, mode: 0o700 });
  sweepPodmanFolders(host);
  // The name is short, because a socket's path has a hundred bytes at most.
  const dir = join(parent, String(process.pid));
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  return dir;
}

/** Removes the folders that dead gbuild processes left. Returns their paths. */
export function sweepPodmanFolders(host: Host): string[] {
  const parent = parentOf(host);
  const names = existsSync(parent) ? readdirSync(parent) : [];
  const dead = names.filter((name) => !isAlive(Number(name))).map((name) => join(parent, name));
  for (const dir of dead) rmSync(dir, { recursive: true, force: true });
  return dead;
}

function parentOf({ env, uid, cacheDir }: Host): string {
  const runtimeDir = env.XDG_RUNTIME_DIR || `/run/user/${uid}`;
  return join(existsSync(runtimeDir) ? runtimeDir : cacheDir, 'gbuild-podman');
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (thrown) {
    return (thrown as NodeJS.ErrnoException).code === 'EPERM';
  }
}

async function waitForSocket(child: ChildProcess, socketPath: string, command: string): Promise<void> {
  let said = '';
  let failure: string | undefined;
  child.stderr?.on('data', (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(-2_000);
  });
  child.once('error', ({ message }) => {
    failure = message;
  });
  child.once('exit', (code, signal) => {
    failure ??= `it ended with ${code ?? signal}`;
  });
  for (let tries = 0; tries < mostTries && failure === undefined; tries += 1) {
    if (existsSync(socketPath) && (await canConnect(socketPath))) {
      // From here on the service must not keep this process alive.
      child.unref();
      (child.stderr as { unref?: () => void } | null)?.unref?.();
      return;
    }
    await sleep(50);
  }
  throw new GbuildError(
    'engine-unreachable',
    `podman could not be started (${command}): ${failure ?? 'it does not answer'}${said === '' ? '' : formatTail(said.trim().split('\n'))}`,
    { suggestions: ['podman info', 'gbuild doctor --host tcp://HOST:PORT'] },
  );
}

function canConnect(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ path });
    const end = (isUp: boolean) => {
      socket.destroy();
      resolve(isUp);
    };
    socket.once('connect', () => end(true)).once('error', () => end(false));
  });
}
