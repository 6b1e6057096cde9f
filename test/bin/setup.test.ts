import { chmodSync, cpSync, existsSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { createFixture, type FsFixture } from 'fs-fixture';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

const bin = join(import.meta.dirname, '../../bin');

/** A checkout as small as one can be, whose npm and build write down that they ran. */
const files = {
  'a clone/package.json': '{}',
  'a clone/package-lock.json': '{"lockfileVersion":3}',
  'a clone/src/main.ts': '',
  'a clone/scripts/build.mjs': `
    import { appendFileSync, writeFileSync } from 'node:fs';
    appendFileSync('../log', 'build\\n');
    writeFileSync('oclif.manifest.json', '{}');`,
  'programs/npm': `#!/bin/sh
    echo "npm $1" >>"$LOG"
    rm -rf node_modules
    mkdir -p node_modules
    sleep 0.3
    [ -z "$NPM_FAILS" ] || { kill -9 $PPID; exit 1; }
    exit 0`,
};

let fixture: FsFixture;
beforeEach(async () => {
  fixture = await createFixture(files);
  chmodSync(fixture.getPath('programs/npm'), 0o755);
  cpSync(bin, fixture.getPath('a clone/bin'), { recursive: true });
  writeFileSync(
    fixture.getPath('a clone/bin/run.js'),
    'console.log(process.argv.slice(2).join("|")); process.exit(7);',
  );
});
afterEach(() => fixture.rm());

const log = () => (existsSync(fixture.getPath('log')) ? readFileSync(fixture.getPath('log'), 'utf8') : '');

async function launch(env: Record<string, string> = {}, program = 'a clone/bin/gbuild') {
  const PATH = `${fixture.getPath('programs')}:${process.env.PATH}`;
  const base = { PATH, HOME: fixture.getPath('home'), LOG: fixture.getPath('log'), CDPATH: fixture.path, ...env };
  const options = { cwd: fixture.path, env: base, extendEnv: false, reject: false, stdin: 'ignore' } as const;
  const { exitCode, signal, stdout, stderr } = await execa(fixture.getPath(program), ['a b', "c'd"], options);
  return { ended: exitCode ?? signal, stdout, stderr: stderr.replaceAll(fixture.path, '<dir>') };
}

describe('bin/gbuild in a fresh checkout', () => {
  test('installs and builds once, says so, and hands arguments and exit code over', async () => {
    expect(await launch()).toMatchInlineSnapshot(`
      {
        "ended": 7,
        "stderr": "Installing the project's packages (npm ci)
      Building the CLI",
        "stdout": "a b|c'd",
      }
    `);
    expect(await launch()).toEqual({ ended: 7, stdout: "a b|c'd", stderr: '' });
    expect(log()).toBe('npm ci\nbuild\n');
  });

  test('works through a link to a link', async () => {
    symlinkSync('a clone/bin/gbuild', fixture.getPath('one'));
    symlinkSync('one', fixture.getPath('two'));
    expect((await launch({}, 'two')).ended).toBe(7);
  });

  test('does so once when started several times at once', async () => {
    const results = await Promise.all([launch(), launch(), launch(), launch()]);
    expect(results.map(({ ended }) => ended)).toEqual([7, 7, 7, 7]);
    expect(log()).toBe('npm ci\nbuild\n');
  });

  test('installs again after an installation that was killed', async () => {
    expect((await launch({ NPM_FAILS: '1' })).ended).not.toBe(7);
    expect(existsSync(fixture.getPath('a clone/node_modules'))).toBe(true);
    expect((await launch()).ended).toBe(7);
    expect(log()).toBe('npm ci\nnpm ci\nbuild\n');
  });

  test('installs and builds again when the locked packages change', async () => {
    await launch();
    await new Promise((resolve) => setTimeout(resolve, 20));
    writeFileSync(fixture.getPath('a clone/package-lock.json'), '{"lockfileVersion":3,"packages":{}}');
    expect((await launch()).ended).toBe(7);
    expect(log()).toBe('npm ci\nbuild\nnpm ci\nbuild\n');
  });

  test('says what to type when the build fails, and does not start', async () => {
    writeFileSync(fixture.getPath('a clone/scripts/build.mjs'), 'process.exit(1)');
    const { ended, stdout, stderr } = await launch();
    expect([ended, stdout]).toEqual([2, '']);
    expect(stderr).toContain(
      "error: the build failed; its message is above\n  try: cd '<dir>/a clone' && npm run build",
    );
  });
});

describe('with an old Node', () => {
  const oldNode = `#!/bin/sh
    [ "$1" = --version ] && { echo v20.0.0; exit; }
    case "$2" in *process.versions*) exit 1 ;; esac`;
  /** An npm that "fetches" this Node. */
  const fetching = `#!/bin/sh
    while [ "$1" != --prefix ]; do shift; done
    echo "fetch" >>"$LOG"
    mkdir -p "$2/node_modules/.bin"
    sleep 0.3
    [ -z "$NPM_FAILS" ] || { kill -9 $PPID; exit 1; }
    ln -s "$NODE" "$2/node_modules/.bin/node"`;
  const env = { NODE: process.execPath };
  beforeEach(async () => {
    await launch();
    writeFileSync(fixture.getPath('programs/npm'), fetching);
    writeFileSync(fixture.getPath('programs/node'), oldNode, { mode: 0o755 });
    writeFileSync(fixture.getPath('log'), '');
  });

  test('a right one is fetched once, also by several at once', async () => {
    const results = await Promise.all([launch(env), launch(env), launch(env)]);
    expect(results.map(({ ended }) => ended)).toEqual([7, 7, 7]);
    expect(log()).toBe('fetch\n');
  });

  test('one whose fetching was killed is fetched again', async () => {
    expect((await launch({ ...env, NPM_FAILS: '1' })).ended).not.toBe(7);
    expect((await launch(env)).ended).toBe(7);
  });

  test('one that does not start is said to be so', async () => {
    const { ended, stderr } = await launch({ NODE: '/nonexistent' });
    expect(ended).toBe(2);
    expect(stderr).toContain('error: the fetched Node does not start on this machine: <dir>/home/.cache/gbuild/node/');
  });
});
