import { spawn, spawnSync } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { testCacheDir } from '../runner/cache-dir.ts';
import { holdLock, runToEnd } from '../runner/make-once.ts';
import { timeStep } from '../runner/timings.ts';
import { answers, askEngine } from './engine-http.ts';

const runDir = '/run/gbuild-test';
/** Address of the tests' own engine. */
export const ownHost = `unix://${runDir}/docker.sock`;
const pidFile = join(runDir, 'docker.pid');
const logFile = join(testCacheDir, 'engine', 'dockerd.log');

export interface TestEngine {
  /** Address as DOCKER_HOST spells it. */
  host: string;
  /** Whether the engine belongs to the tests alone, and not to the machine. */
  own: boolean;
  /** Whether this call started it: the caller then stops it. */
  started: boolean;
}

/** Returns the engine that the tests may use now: a named one, the machine's, or the tests' own when it runs. */
export async function findTestEngine(): Promise<TestEngine | undefined> {
  const { GBUILD_TEST_HOST, DOCKER_HOST } = process.env;
  for (const host of [GBUILD_TEST_HOST, DOCKER_HOST, 'unix:///var/run/docker.sock', ownHost])
    if (host && (await answers(host))) return { host, own: host === ownHost, started: false };
  return undefined;
}

/** Finds an engine or starts the tests' own, with messages on stderr. Throws with the engine's log on failure. */
export async function startTestEngine(): Promise<TestEngine> {
  const found = await findTestEngine();
  if (found !== undefined) return found;
  if (process.getuid?.() !== 0)
    throw new Error(
      'the tests need a container engine: start one, set DOCKER_HOST, or run them as root to have one started',
    );
  if (!isInstalled('dockerd')) await installPackages(['docker.io', 'iptables', 'ca-certificates']);
  say(`starting a container engine of the tests' own at ${ownHost}`);
  removeStalePidFile();
  const pid = spawnEngine();
  for (let tries = 0; tries < 300; tries += 1) {
    // Another process may have started it first: then that process stops it.
    if (await answers(ownHost)) return { host: ownHost, own: true, started: readPid() === pid };
    if (tries > 10 && readPid() === undefined) break;
    await sleep(200);
  }
  throw new Error(`the engine at ${ownHost} did not start; the end of ${logFile}:\n${readTail(logFile)}`);
}

/** Stops the tests' own engine, if it runs; its data stays for the next run. */
export async function stopTestEngine(): Promise<void> {
  const pid = readPid();
  if (pid !== undefined) {
    process.kill(pid, 'SIGTERM');
    for (let tries = 0; tries < 150 && readPid() !== undefined; tries += 1) await sleep(200);
    if (readPid() !== undefined) process.kill(pid, 'SIGKILL');
  }
  unmountBelow(runDir);
  rmSync(runDir, { recursive: true, force: true });
}

/** Removes most of the build cache of past runs: the engine's data would otherwise grow with every run. */
export async function trimTestEngine(host: string): Promise<void> {
  try {
    await askEngine(host, 'POST', `/build/prune?keep-storage=${8e9}`);
    await askEngine(host, 'POST', '/images/prune');
  } catch (error) {
    say(`the builder's cache was not trimmed: ${String(error)}`);
  }
}

/** Unmounts what the engine leaves for the host's network, which a container may have shared. */
function unmountBelow(dir: string): void {
  const points = readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[1] ?? '')
    .filter((point) => point.startsWith(`${dir}/`));
  for (const point of points.reverse()) spawnSync('umount', ['--lazy', point]);
}

/** Installs Debian packages that the tests need on this machine, with a message; one process at a time. */
export async function installPackages(packages: string[]): Promise<void> {
  await using _ = await holdLock('apt');
  say(`installing ${packages.join(' ')} (apt-get)`);
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  await timeStep(`install ${packages.join(' ')}`, async () => {
    await runToEnd('apt-get', ['update', '-q'], { env });
    const quiet = ['-q', '-y', '--no-install-recommends', '-o', 'DPkg::Lock::Timeout=300'];
    await runToEnd('apt-get', ['install', ...quiet, ...packages], { env });
  });
}

export function isInstalled(program: string): boolean {
  return spawnSync('sh', ['-c', 'command -v "$0"', program]).status === 0;
}

export function say(text: string): void {
  process.stderr.write(`test engine: ${text}\n`);
}

function spawnEngine(): number | undefined {
  mkdirSync(join(testCacheDir, 'engine'), { recursive: true });
  mkdirSync(runDir, { recursive: true });
  const log = openSync(logFile, 'a');
  const args = ['--data-root', join(testCacheDir, 'engine/data'), '--exec-root', join(runDir, 'exec')];
  const engine = spawn('dockerd', [...args, '--pidfile', pidFile, '--host', ownHost], {
    detached: true,
    stdio: ['ignore', log, log],
    // Each container start runs dockerd several times for some milliseconds, a third of them for Go's garbage collector.
    env: { ...process.env, GOGC: 'off', GOMEMLIMIT: '400MiB' },
  });
  engine.unref();
  closeSync(log);
  return engine.pid;
}

/** Returns the pid of the tests' own engine while it lives: a reused pid is another program. */
function readPid(): number | undefined {
  const pid = existsSync(pidFile) ? Number(readFileSync(pidFile, 'utf8')) : Number.NaN;
  const commandFile = `/proc/${pid}/cmdline`;
  if (!Number.isInteger(pid) || !existsSync(commandFile)) return undefined;
  const [program = '', ...args] = readFileSync(commandFile, 'utf8').split('\0');
  return basename(program) === 'dockerd' && args.includes(pidFile) ? pid : undefined;
}

/** Removes a stale pid file: dockerd refuses to start when its number belongs to any living process. */
function removeStalePidFile(): void {
  if (readPid() !== undefined) return;
  rmSync(pidFile, { force: true });
  rmSync(join(runDir, 'exec/containerd/containerd.pid'), { force: true });
}

function readTail(file: string): string {
  return existsSync(file) ? readFileSync(file, 'utf8').trimEnd().split('\n').slice(-30).join('\n') : '(no log)';
}

if (import.meta.main) {
  const verb = process.argv[2];
  if (verb === 'stop') await stopTestEngine();
  else if (verb === 'start') process.stdout.write(`${(await startTestEngine()).host}\n`);
  else if (verb === 'url') {
    const found = await findTestEngine();
    if (found !== undefined) process.stdout.write(`${found.host}\n`);
    process.exitCode = found === undefined ? 1 : 0;
  } else {
    process.stderr.write('usage: node test/support/engines/test-engine.ts start|stop|url\n');
    process.exitCode = 2;
  }
}
