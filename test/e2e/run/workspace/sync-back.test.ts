import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { commitAll, openCli } from '../../../support/cli/cli.ts';
import { startEngineContainer } from '../../../support/engines/engine-container.ts';
import { askEngine } from '../../../support/engines/engine-http.ts';
import { listLeft, nothingLeft } from '../../../support/engines/engine-left.ts';
import { type FarEngine, listTree, openFarEngine } from '../../../support/remote-engines/far-engine.ts';

let far: FarEngine['far'];
let cli: FarEngine['cli'];
let opened: FarEngine;
beforeAll(async () => {
  opened = await openFarEngine(inject('engineHost'), { toolchain: inject('baseImage') });
  ({ far, cli } = opened);
});
afterAll(() => opened[Symbol.asyncDispose]());

const run = (cwd: string, ...args: string[]) => cli.run(args, { cwd });

const sizeOf = (cwd: string, ...names: string[]) =>
  names.reduce((sum, name) => sum + statSync(join(cwd, name)).size, 0);

describe('what tasks change there comes back', () => {
  test('as on an engine that sees the workspace: new, changed and deleted files, modes, links, empty folders', async () => {
    const body = `tasks:
  test:
    reports: ["reports/*.xml"]
    run: |
      echo locked > lock-file; echo more >> edited; rm gone; rm -r folder; chmod 755 script; mkdir -p made/empty
      echo x > made/new; ln -s new made/link; rm kind; mkdir kind; echo y > kind/in; rm -r kind2; echo z > kind2
      mkdir -p dist node_modules reports; echo o > dist/o; echo n > node_modules/n; echo r > reports/r.xml
  build: mkdir -p dist; echo built > dist/app
  look: cat dist/app node_modules/n
image: {entrypoint: [cat], layers: [{name: app, from: [dist], to: /app}]}
`;
    const tree = { edited: 'one\n', gone: 'x', 'folder/a': 'a', script: 'x', kind: 'x', 'kind2/a': 'x' };
    const files = { ...tree, '.gitignore': 'dist/\nnode_modules/\nreports/\n' };
    const away = cli.tasks('sync-back', body, files);
    const near = cli.tasks('sync-near', body, files);
    const local = await cli.run(['test'], { cwd: near, env: { DOCKER_HOST: inject('engineHost') } });
    const { exitCode, stderr, stdout } = await run(away, 'test', '--json');
    expect([local.exitCode, exitCode], stderr).toEqual([0, 0]);
    expect(JSON.parse(stdout).tasks[0].reports).toEqual(['reports/r.xml']);
    // What git ignores and nobody asked for stays there for the next run.
    const isAsked = (line: string) => !/^(dist|node_modules)\//.test(line);
    expect(listTree(away)).toEqual(listTree(near).filter(isAsked));
    await run(away, 'build');
    expect([readFileSync(join(away, 'dist/app'), 'utf8'), existsSync(join(away, 'dist/o'))]).toEqual(['built\n', true]);
    writeFileSync(join(away, 'dist/app'), 'edited here\n');
    expect((await run(away, 'run', 'look')).stdout).toBe('edited here\nn\n');
    rmSync(join(away, 'dist'), { recursive: true });
    expect((await run(away, 'run', 'look')).stdout).toBe('n\n');
  });

  test('when the task fails, and its own exit code is the answer', async () => {
    const cwd = cli.tasks(
      'sync-fails',
      'tasks:\n  test: {run: "mkdir out; echo red > out/r.xml; exit 7", reports: ["out/*.xml"]}\n',
      { '.gitignore': 'out\n' },
    );
    const { exitCode } = await run(cwd, 'test');
    expect([exitCode, readFileSync(join(cwd, 'out/r.xml'), 'utf8')]).toEqual([7, 'red\n']);
  });

  test('when the task runs out of time, and when it is interrupted', async () => {
    const script =
      "echo half > state; trap 'echo asked >> state; exit 1' TERM; echo ready; while :; do sleep 0.1; done";
    const cwd = cli.tasks('sync-stops', `tasks:\n  test: ${script}\n  slow: {run: "${script}", timeout: 3s}\n`);
    expect((await run(cwd, 'run', 'slow')).exitCode).toBe(4);
    expect(readFileSync(join(cwd, 'state'), 'utf8')).toBe('half\nasked\n');
    rmSync(join(cwd, 'state'));
    const running = cli.start(['test'], { cwd });
    await running.until('ready\n');
    running.kill('SIGINT');
    expect([(await running.ended).exitCode, readFileSync(join(cwd, 'state'), 'utf8')]).toEqual([130, 'half\nasked\n']);
    expect(await listLeft(far.host, 'io.gbuild.repository=sync-stops')).toEqual(nothingLeft);
  });

  test('and `--json` says how much went either way, and what did not come, whether the task fails or not', async () => {
    const script = 'rm gone; printf 12345 > made; ln -s /etc/passwd out; exit $(cat code)';
    const cwd = cli.tasks('sync-json', `tasks:\n  test: ${script}\n`, { gone: 'x\n', code: '0\n' });
    // What git makes is of no size that is known.
    rmSync(join(cwd, '.git'), { recursive: true });
    const back = { files: 1, bytes: 5, removed: 1, kept: [] };
    const refused = ['out: the link leads out of the workspace, to /etc/passwd'];
    const passed = await run(cwd, 'test', '--json');
    expect(JSON.parse(passed.stdout).sync, passed.stderr).toEqual({
      sent: { files: 4, bytes: sizeOf(cwd, 'gbuild.yml', 'gbuild.lock') + 4, removed: 0 },
      back: { ...back, refused },
    });
    rmSync(join(cwd, 'made'));
    writeFileSync(join(cwd, 'gone'), 'x\n');
    writeFileSync(join(cwd, 'code'), '7\n');
    const failed = await run(cwd, 'test', '--json');
    expect([failed.exitCode, JSON.parse(failed.stdout).error.facts.sync], failed.stderr).toEqual([
      7,
      { sent: { files: 2, bytes: 4, removed: 2 }, back: { ...back, refused } },
    ]);
  });

  test('from a shell, when it is left', async () => {
    const cwd = cli.tasks('sync-shell', 'tasks: {}\n', { a: 'here\n' });
    const { exitCode, stdout } = await cli.run(['shell'], { cwd, input: 'cat a; echo typed > b; exit 3\n' });
    expect([exitCode, stdout, readFileSync(join(cwd, 'b'), 'utf8')]).toEqual([3, 'here\n', 'typed\n']);
  });
});

test('an image made of outputs that came back has the id it has on an engine that sees the workspace', async () => {
  const body = `tasks:
  build: mkdir -p dist/bin; cat source > dist/data; { printf '\\177ELF\\002\\001\\001'; head -c 57 /dev/zero; } > dist/bin/run; chmod +x dist/bin/run; ln -s data dist/link
image: {base: scratch, entrypoint: [/app/bin/run], layers: [{name: app, from: [dist/], to: /app}]}
`;
  const files = { source: 'source\n', '.gitignore': 'dist/\n' };
  using near = openCli({ toolchain: inject('baseImage'), ownCache: true });
  using away = openCli({ toolchain: inject('baseImage'), ownCache: true });
  // One engine, so that both lock the same bytes; it sees one of the two folders.
  await using half = await startEngineContainer(inject('engineHost'), [near.dir]);
  const releases: [id: string, isSent: boolean][] = [];
  for (const own of [near, away]) {
    const cwd = own.tasks('sync-release', body, files);
    const env = { DOCKER_HOST: half.host };
    expect((await own.run(['lock'], { cwd, env })).exitCode).toBe(0);
    commitAll(cwd, 'locked');
    const { exitCode, stdout, stderr } = await own.run(['image', '--release', '1.0.0', '--json'], { cwd, env });
    expect(exitCode, stderr).toBe(0);
    releases.push([JSON.parse(stdout).imageId, stderr.includes('the workspace is sent there')]);
    await askEngine(half.host, 'DELETE', '/images/sync-release:1.0.0');
  }
  const [[id]] = releases as [[string, boolean]];
  expect(releases).toEqual([
    [id, false],
    [id, true],
  ]);
});
