import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type ExecaError, execa } from 'execa';

const here = fileURLToPath(new URL('../../..', import.meta.url));

export interface ScriptResult {
  exitCode: number;
  /** Output of both streams in order of arrival, without the parts that differ between runs. */
  output: string;
  seconds: number;
}

/** Clean clone of this checkout's HEAD in a folder with a space, with a separate home and cache. */
export interface Checkout extends Disposable {
  /** Folder with the clone, the home and the caches; removed at the end. */
  dir: string;
  root: string;
  cacheDir: string;
  /** Changes a file of the clone. */
  edit(path: string, change: (text: string) => string): void;
  /**
   * Runs one of its programs (`bin/quickstart`) without a terminal and without input; `undefined` unsets a variable.
   */
  run(program: string, args?: string[], env?: Record<string, string | undefined>): Promise<ScriptResult>;
}

/**
 * Variables of this process that a script may see: those for reaching registries, and none about engine, terminal or
 * CI.
 */
const passed = /^(PATH|LANG|(https?|no|all)_proxy|NODE_EXTRA_CA_CERTS|SSL_CERT_(FILE|DIR)|npm_config_registry)$/i;

/** Clones the checkout. Its packages are linked to this checkout's where possible: another test installs them. */
export function cloneCheckout(): Checkout {
  const dir = mkdtempSync(join(tmpdir(), 'gbuild-checkout-'));
  const root = join(dir, 'a clone');
  const home = join(dir, 'home');
  const cacheHome = join(dir, 'cache');
  for (const each of [home, cacheHome]) mkdirSync(each);
  chmodSync(dir, 0o755);
  must('git', ['clone', '-q', '--no-hardlinks', here, root]);
  const copied = spawnSync('cp', ['-a', '--link', join(here, 'node_modules'), root]).status === 0;
  if (!copied) must('cp', ['-a', join(here, 'node_modules'), root]);
  const clean = {
    ...Object.fromEntries(Object.entries(process.env).filter(([name]) => passed.test(name))),
    HOME: home,
    XDG_CACHE_HOME: cacheHome,
    XDG_DATA_HOME: join(dir, 'data'),
    XDG_STATE_HOME: join(dir, 'state'),
  };
  return {
    dir,
    root,
    cacheDir: join(cacheHome, 'gbuild'),
    edit: (path, change) => writeFileSync(join(root, path), change(readFileSync(join(root, path), 'utf8'))),
    run: async (program, args = [], env = {}) => {
      const began = performance.now();
      const options = { cwd: dir, env: { ...clean, ...env }, extendEnv: false, all: true, stdin: 'ignore' } as const;
      const { exitCode, all } = await execa(join(root, program), args, options).catch((thrown: ExecaError) => thrown);
      const output = String(all).replaceAll(dir, '<dir>');
      return { exitCode: exitCode ?? -1, output, seconds: (performance.now() - began) / 1000 };
    },
    [Symbol.dispose]: () => rmSync(dir, { recursive: true, force: true }),
  };
}

/** Makes a folder of links to programs of this machine, for a PATH with nothing else. */
export function linkPrograms(hostDir: string, programs: string[]): string {
  mkdirSync(hostDir, { recursive: true });
  for (const program of programs) {
    const { stdout } = spawnSync('sh', ['-c', 'command -v "$0"', program], { encoding: 'utf8' });
    symlinkSync(program.startsWith('/') ? program : stdout.trim(), join(hostDir, program.split('/').pop()!));
  }
  return hostDir;
}

function must(program: string, args: string[]): void {
  const { status, stderr } = spawnSync(program, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${program} ${args.join(' ')} failed (${status}):\n${stderr}`);
}
