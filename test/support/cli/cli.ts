import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa, execaSync } from 'execa';
import { isProgram } from '../images/any-program.ts';
import { noteStep } from '../runner/timings.ts';

/** Folder of gbuild's installation: this checkout (built by scripts/build.mjs), or another one named for a trial. */
const installedAt = process.env.GBUILD_TEST_INSTALL ?? fileURLToPath(new URL('../../..', import.meta.url));

/** Variables that pass: those that the machine needs to reach package registries, if a toolchain must be made. */
const passed = /^(PATH|LANG|(https?|no|all)_proxy|NODE_EXTRA_CA_CERTS|SSL_CERT_(FILE|DIR)|npm_config_registry)$/i;

export interface CliOptions {
  /** Address as DOCKER_HOST spells it; nothing is set when undefined. */
  engine?: string | undefined;
  env?: Record<string, string>;
  /** Whether to use a separate cache folder instead of the machine's, which keeps downloads. */
  ownCache?: boolean;
  /** Toolchain of repositories made by `tasks`; the small base image of the tests is the fastest. */
  toolchain?: string;
}

export interface CallOptions {
  cwd?: string;
  /** Variables over the clean environment; `undefined` removes one. */
  env?: Record<string, string | undefined>;
  /** Whole standard input, or 'open' for typing into it; none when left out. */
  input?: string;
  /** Redirections of sh for standard input: `< /dev/null`, `<&-`. */
  redirect?: string;
  /** Whether it runs on a separate terminal (script(1)): both streams arrive as stdout. */
  terminal?: boolean;
  /** Installation to use instead of the checkout's Node and gbuild. */
  installed?: Installation;
  /** Other user of this machine, with an installation that this user can read. */
  as?: { uid: number; gid: number; groups: number[]; installed: Installation };
}

/** Paths of Node and of gbuild's entry point. */
export interface Installation {
  node: string;
  bin: string;
}

export interface CliResult {
  /** Name of the signal when one ended it. */
  exitCode: number | NodeJS.Signals;
  stdout: string;
  stderr: string;
}

/** Running gbuild. */
export interface RunningCli {
  pid: number;
  /** Returns everything that it has written so far, both streams in order of arrival. */
  output(): string;
  /** Resolves once that text has been written; rejects with all output when it ended without it. */
  until(text: string | RegExp): Promise<void>;
  kill(signal: NodeJS.Signals): void;
  /** Writes to its standard input, which `input: 'open'` keeps open. */
  type(text: string): void;
  /** Closes its output, like a reader that has seen enough (`| head -1`). */
  closeStdout(): void;
  ended: Promise<CliResult>;
}

/**
 * gbuild as its user meets it: the real command line as a child process, with a separate home and a clean environment.
 */
export interface Cli extends Disposable {
  /** Folder that an engine on this machine sees; removed at the end. */
  dir: string;
  dataDir: string;
  stateDir: string;
  cacheDir: string;
  /** Script to run: `node bin`. */
  bin: string;
  run(args: string[], options?: CallOptions): Promise<CliResult>;
  start(args: string[], options?: CallOptions): RunningCli;
  /** Writes files below `dir`/name and commits them with a fixed name and time. Returns the folder. */
  repository(name: string, files: Record<string, string>): string;
  /**
   * Makes a repository with a gbuild.yml of this name and toolchain, followed by `body` (`tasks:` and its contents).
   */
  tasks(name: string, body: string, files?: Record<string, string>): string;
  /** Removes the parts of output that differ between runs: this folder, times and names of runs. */
  plain(text: string): string;
}

export function openCli(options: CliOptions = {}): Cli {
  const dir = mkdtempSync(join(tmpdir(), 'gbuild-e2e-'));
  chmodSync(dir, 0o755);
  const home = join(dir, 'home');
  const ownCache = join(dir, 'cache');
  const cacheHome = options.ownCache ? ownCache : process.env.XDG_CACHE_HOME || join(homedir(), '.cache');
  const env = {
    ...Object.fromEntries(Object.entries(process.env).filter(([name]) => passed.test(name))),
    HOME: home,
    XDG_CACHE_HOME: cacheHome,
    XDG_DATA_HOME: join(dir, 'data'),
    XDG_STATE_HOME: join(dir, 'state'),
    ...(options.engine !== undefined && { DOCKER_HOST: options.engine }),
    ...options.env,
  };
  mkdirSync(home);
  const repository = (name: string, files: Record<string, string>) => writeRepository(join(dir, name), files);
  const head = (name: string) => `gbuild: 1\nname: ${name}\ntoolchain: ${options.toolchain}\n`;
  const start = (args: string[], call: CallOptions = {}) =>
    startCli(args, { ...call, env: { ...env, ...call.env } }, dir);
  return {
    dir,
    dataDir: join(dir, 'data/gbuild'),
    stateDir: join(dir, 'state/gbuild'),
    cacheDir: join(cacheHome, 'gbuild'),
    bin: join(installedAt, 'bin/run.js'),
    start,
    run: (args, call) => start(args, call).ended,
    repository,
    tasks: (name, body, files = {}) => repository(name, { 'gbuild.yml': `${head(name)}${body}`, ...files }),
    plain: (text) =>
      text
        .replaceAll(dir, '<dir>')
        .replace(/\b(\d+ min )?\d+(\.\d+)? s\b/g, '<time>')
        .replace(/\b\d{17}-[0-9a-f]{8}\b/g, '<run>'),
    [Symbol.dispose]: () => rmSync(dir, { recursive: true, force: true }),
  };
}

function commandLine(args: string[], { terminal, as, installed, redirect }: CallOptions): [string, ...string[]] {
  const { node, bin } = as?.installed ?? installed ?? { node: process.execPath, bin: join(installedAt, 'bin/run.js') };
  const line: [string, ...string[]] = [node, bin, ...args];
  if (terminal)
    return ['script', '-qec', line.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' '), '/dev/null'];
  if (redirect !== undefined) return ['sh', '-c', `exec "$@" ${redirect}`, 'sh', ...line];
  if (as === undefined) return line;
  return ['setpriv', '--reuid', `${as.uid}`, '--regid', `${as.gid}`, '--groups', as.groups.join(), '--', ...line];
}

/** Copies gbuild and this Node to a folder where every user may read and run them. */
export function copyInstallation(hostDir: string): Installation {
  const wanted = ['bin/run.js', 'dist', 'images', 'schema', 'package.json', 'oclif.manifest.json'];
  for (const path of wanted) cpSync(join(installedAt, path), join(hostDir, path), { recursive: true });
  cpSync(process.execPath, join(hostDir, 'node'));
  return { node: join(hostDir, 'node'), bin: join(hostDir, 'bin/run.js') };
}

function startCli(args: string[], call: CallOptions, dir: string): RunningCli {
  const { cwd, env, input } = call;
  const [program, ...rest] = commandLine(args, call);
  const child = execa(program, rest, {
    cwd: cwd ?? dir,
    env: env ?? {},
    extendEnv: false,
    reject: false,
    stripFinalNewline: false,
    maxBuffer: 1e9,
    ...(input === undefined ? { stdin: 'ignore' } : input === 'open' ? {} : { input }),
  });
  let output = '';
  const listeners = new Set<() => void>();
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      for (const listener of listeners) listener();
    });
  const ended = child.then(({ exitCode, signal, stdout, stderr }) => {
    noteToolchains(stderr);
    return { exitCode: exitCode ?? (signal as NodeJS.Signals), stdout, stderr };
  });
  const until = (text: string | RegExp) =>
    new Promise<void>((resolve, reject) => {
      const look = () => {
        if (typeof text === 'string' ? output.includes(text) : text.test(output)) resolve();
      };
      listeners.add(look);
      look();
      ended.then(({ exitCode }) => reject(new Error(`exit code ${exitCode} before ${text}; it wrote:\n${output}`)));
    });
  return {
    pid: child.pid!,
    output: () => output,
    until,
    kill: (signal) => void child.kill(signal),
    type: (text) => void child.stdin?.write(text),
    closeStdout: () => void child.stdout.destroy(),
    ended,
  };
}

/** Records how long gbuild took to make images of toolchains, from its own messages. */
function noteToolchains(stderr: string): void {
  const done = /^\+ ((?:building|base image|runtime base|fetching)\b.*) \((?:(\d+) min )?([\d.]+) s\)$/gm;
  for (const [, title = '', minutes = '0', seconds = '0'] of stderr.matchAll(done))
    noteStep(`toolchain: ${title}`, Number(minutes) * 60 + Number(seconds));
}

function writeRepository(hostDir: string, files: Record<string, string>): string {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(hostDir, path)), { recursive: true });
    writeFileSync(join(hostDir, path), text, { mode: isProgram(text) ? 0o755 : 0o644 });
  }
  git(hostDir, 'init', '-q', '-b', 'main');
  commitAll(hostDir, 'first');
  return hostDir;
}

/** Commits everything with one author and one time, so that the same files give the same commit. */
export function commitAll(hostDir: string, message: string): void {
  git(hostDir, 'add', '-A');
  git(hostDir, 'commit', '-q', '--allow-empty', '-m', message);
}

/** Runs git without the user's configuration. Returns its output. */
export function git(hostDir: string, ...args: string[]): string {
  const who = { NAME: 'Ada', EMAIL: 'ada@example.org', DATE: '2024-05-06T07:08:09Z' };
  const people = Object.entries(who).flatMap(([key, value]) => [
    [`GIT_AUTHOR_${key}`, value],
    [`GIT_COMMITTER_${key}`, value],
  ]);
  const env = { ...Object.fromEntries(people), PATH: process.env.PATH, HOME: '/nonexistent', GIT_CONFIG_NOSYSTEM: '1' };
  return execaSync('git', ['-C', hostDir, ...args], { env, extendEnv: false }).stdout;
}

/** Copies an example of this checkout under another name and commits it, without a build's leftovers. */
export function copyOf(path: string, hostDir: string, name: string): string {
  const skipped = /(^|\/)(node_modules|dist|target|vendor\/bundle)(\/|$)/;
  const from = fileURLToPath(new URL(`../../../${path}`, import.meta.url));
  cpSync(from, hostDir, { recursive: true, filter: (file) => !skipped.test(file.slice(from.length)) });
  const spec = readFileSync(join(hostDir, 'gbuild.yml'), 'utf8');
  return writeRepository(hostDir, { 'gbuild.yml': spec.replace(/^name: .*$/m, `name: ${name}`) });
}
