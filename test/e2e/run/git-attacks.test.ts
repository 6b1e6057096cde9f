import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import {
  appendFileSync,
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { commitAll, git, openCli } from '../../support/cli/cli.ts';
import { askEngine } from '../../support/engines/engine-http.ts';
import { ensureTestImage, machineImage } from '../../support/images/base-image.ts';

const engine = inject('engineHost');
const cli = openCli({ engine, toolchain: machineImage });
afterAll(() => cli[Symbol.dispose]());
beforeAll(() => ensureTestImage(engine, machineImage));

/** On the host alone: it says that it was run. */
const program = join(cli.dir, 'program.sh');
const ran = join(cli.dir, 'ran');
writeFileSync(program, `#!/bin/sh\ntouch ${ran}\ncat\n`);
chmodSync(program, 0o755);
beforeEach(() => rmSync(ran, { force: true }));

/** What the caller's own git runs there. */
function runGit(cwd: string, ...args: string[]): void {
  spawnSync('git', args, { cwd, env: { PATH: process.env.PATH, HOME: cli.dir }, timeout: 20_000 });
}

/** Path and content of all that a folder holds. */
function listAll(dir: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const path of readdirSync(dir, { recursive: true, encoding: 'utf8' })) {
    const stats = lstatSync(join(dir, path));
    if (stats.isSymbolicLink()) found.set(path, readlinkSync(join(dir, path)));
    else if (stats.isFile())
      found.set(
        path,
        `${stats.mode} ${createHash('sha256')
          .update(readFileSync(join(dir, path)))
          .digest('hex')}`,
      );
  }
  return found;
}

/** Commands of a task that plant a program wherever git would run it. */
const plant = [
  `printf '[filter "p"]\\n\\tclean = ${program}\\n[core]\\n\\tfsmonitor = ${program}\\n\\thooksPath = ${cli.dir}\\n' >> .git/config`,
  'mkdir -p .git/info .git/hooks .git/modules/x',
  "echo '* filter=p' > .git/info/attributes",
  `cp /bin/true .git/hooks/post-index-change`,
  "printf '[core]\\n' > .git/modules/x/config",
  'rm -f .git/packed-refs .git/HEAD && echo ref: refs/heads/other > .git/HEAD',
].join('; ');

describe('what a task writes to .git stays in its container', () => {
  test('config, hooks, attributes, modules and HEAD, and nothing of it runs here', async () => {
    const cwd = cli.tasks(
      'git-planted',
      `tasks:\n  test: |\n    ${plant}\n    echo b > a\nimage: {entrypoint: [cat], layers: [{name: a, from: [a], to: /app}]}\n`,
      { a: 'a\n' },
    );
    const before = listAll(join(cwd, '.git'));
    const { exitCode, stderr } = await cli.run(['test'], { cwd });
    expect(exitCode, stderr).toBe(0);
    expect([readFileSync(join(cwd, 'a'), 'utf8'), listAll(join(cwd, '.git'))]).toEqual(['b\n', before]);
    runGit(cwd, 'status');
    const plan = await cli.run(['plan', 'image'], { cwd });
    expect([plan.exitCode, existsSync(ran)]).toEqual([0, false]);
  });

  test('nor can it be removed or exchanged', async () => {
    const body = `tasks:\n  test: |\n    rm -rf .git || true\n    mv .git gone || true\n    mkdir -p .git/objects\n`;
    const cwd = cli.tasks('git-removed', body);
    const before = listAll(join(cwd, '.git'));
    const { exitCode, stderr } = await cli.run(['test'], { cwd });
    expect([exitCode, listAll(join(cwd, '.git'))], stderr).toEqual([0, before]);
  });

  test('while tasks of one run see what the others did: husky and its like go on working', async () => {
    const body = `tasks:
  install: git config core.hooksPath .husky && git tag mine && echo x > new && git add new && git commit -qm new
  test:
    needs: [install]
    run: git config core.hooksPath; git describe --tags; git log --format=%s; git status --porcelain
`;
    const identity = {
      GIT_AUTHOR_NAME: 'a',
      GIT_AUTHOR_EMAIL: 'a@b',
      GIT_COMMITTER_NAME: 'a',
      GIT_COMMITTER_EMAIL: 'a@b',
    };
    const env = Object.entries(identity)
      .map(([name, value]) => `  ${name}: ${value}\n`)
      .join('');
    const cwd = cli.tasks('git-husky', `env:\n${env}${body}`, { '.gitignore': 'gbuild.lock\n' });
    const { exitCode, stdout, stderr } = await cli.run(['test'], { cwd });
    expect([exitCode, stdout], stderr).toEqual([0, expect.stringMatching(/^\.husky\nmine-1-g\w+\nnew\nfirst\n$/)]);
    expect([git(cwd, 'tag'), git(cwd, 'log', '--format=%s'), existsSync(join(cwd, 'new'))]).toEqual([
      '',
      'first',
      true,
    ]);
  });

  test('git says there what it says here: in a submodule and in a linked working tree', async () => {
    const asked = 'git describe --tags; git rev-parse HEAD; git status --porcelain; git log --format=%s';
    const cwd = cli.tasks('git-asked', `tasks:\n  test: |\n    ${asked}; git -C part log --format=%s\n`, {
      '.gitignore': 'gbuild.lock\n',
    });
    const part = cli.repository('git-asked-part', { b: 'b\n' });
    commitAll(part, 'of the part');
    git(cwd, '-c', 'protocol.file.allow=always', 'submodule', '--quiet', 'add', part, 'part');
    commitAll(cwd, 'second');
    git(cwd, 'tag', 'v1.2.3');
    git(cwd, 'pack-refs', '--all');
    const head = git(cwd, 'rev-parse', 'HEAD');
    const { stdout, stderr } = await cli.run(['test'], { cwd });
    expect(stdout, stderr).toBe(`v1.2.3\n${head}\nsecond\nfirst\nof the part\nfirst\n`);
    const linked = `${cwd}-linked`;
    git(cwd, 'worktree', 'add', '-q', '-b', 'linked', linked);
    writeFileSync(
      join(linked, 'gbuild.yml'),
      readFileSync(join(linked, 'gbuild.yml'), 'utf8').replace('; git -C part log --format=%s', ''),
    );
    commitAll(linked, 'of the linked one');
    const tip = git(linked, 'rev-parse', 'HEAD');
    const there = await cli.run(['test'], { cwd: linked });
    expect([there.exitCode, there.stdout], there.stderr).toEqual([
      0,
      `v1.2.3-1-g${tip.slice(0, 7)}\n${tip}\nof the linked one\nsecond\nfirst\n`,
    ]);
    expect(readFileSync(join(linked, '.git'), 'utf8')).toMatch(/^gitdir: /);
  });

  test('a .git file cannot be exchanged, and a link is not followed', async () => {
    const evil = `rm -f .git || true; mkdir -p evil && git init -q --bare evil; (echo gitdir: evil > .git) || true`;
    const cwd = cli.tasks('git-file', `tasks:\n  test: |\n    ${evil}\n`);
    renameSync(join(cwd, '.git'), `${cwd}-elsewhere`);
    writeFileSync(join(cwd, '.git'), `gitdir: ${cwd}-elsewhere\n`);
    const { exitCode, stderr } = await cli.run(['test'], { cwd });
    expect([exitCode, readFileSync(join(cwd, '.git'), 'utf8')], stderr).toEqual([0, `gitdir: ${cwd}-elsewhere\n`]);
    rmSync(join(cwd, '.git'));
    symlinkSync(`${cwd}-elsewhere`, join(cwd, '.git'));
    const linked = await cli.run(['test'], { cwd });
    expect([linked.exitCode, readlinkSync(join(cwd, '.git'))], linked.stderr).toEqual([0, `${cwd}-elsewhere`]);
    const { text } = await askEngine(engine, 'GET', '/volumes');
    for (const { Name, Labels } of (JSON.parse(text) as { Volumes: { Name: string; Labels: object | null }[] }).Volumes)
      if (JSON.stringify(Labels ?? {}).includes(cwd)) await askEngine(engine, 'DELETE', `/volumes/${Name}`);
  });

  test("a submodule's .git cannot be exchanged, nor its folder moved away, and no git here runs anything of it", async () => {
    const attack = (paths: string[]) => [
      'rm -rf evil && git init -q work && mv work/.git evil',
      `printf '[filter "p"]\\n\\tclean = ${program}\\n[core]\\n\\tfsmonitor = ${program}\\n' >> evil/config`,
      "echo '* filter=p' > evil/info/attributes",
      ...paths.flatMap((path) => [
        `rm -rf ${path}/.git && cp -r evil ${path}/.git`,
        `echo "gitdir: $PWD/evil" > ${path}/.git`,
        `mv ${path} moved && mkdir ${path} && cp -r evil ${path}/.git`,
        `mv $(dirname ${path}) moved-too && mkdir -p ${path} && cp -r evil ${path}/.git`,
      ]),
      'git -C libs/part log --format=%s',
      'touch libs/part/new && mv libs/part/new libs/new',
    ];
    const from = cli.repository('git-part-origin', { b: 'b\n' });
    commitAll(from, 'of the part');
    const top = cli.repository('git-part', { README: '' });
    const project = join(top, 'project');
    const places = { [top]: ['libs/part', 'flat'], [project]: ['libs/part', '/repository/project/libs/part'] };
    for (const [cwd, paths] of Object.entries(places)) {
      mkdirSync(cwd, { recursive: true });
      writeFileSync(
        join(cwd, 'gbuild.yml'),
        `gbuild: 1\nname: git-part\ntoolchain: ${machineImage}\ntasks: {test: sh attack.sh}\nimage: {entrypoint: [cat], layers: [{name: a, from: [attack.sh], to: /app}]}\n`,
      );
      writeFileSync(join(cwd, 'attack.sh'), `${attack(paths).join('\n')}\n`);
      for (const path of paths.filter((each) => !each.startsWith('/')))
        git(cwd, '-c', 'protocol.file.allow=always', 'submodule', '--quiet', 'add', from, path);
      commitAll(top, 'with parts');
    }
    const files = ['libs/part', 'flat', 'project/libs/part'].map((path) => join(top, path, '.git'));
    const readAll = () => files.map((file) => readFileSync(file, 'utf8'));
    const before = readAll();
    for (const cwd of [top, project]) {
      const { exitCode, stdout, stderr } = await cli.run(['test'], { cwd });
      expect([exitCode, stdout, readAll()], stderr).toEqual([0, 'of the part\nfirst\n', before]);
      runGit(cwd, 'status');
      const plan = await cli.run(['plan', 'image'], { cwd });
      expect([plan.exitCode, existsSync(join(cwd, 'libs/new')), existsSync(ran)], plan.stderr).toEqual([
        0,
        true,
        false,
      ]);
    }
  });

  test('a killed run leaves its copy, and the next one takes it away', async () => {
    const cwd = cli.tasks('git-killed', 'tasks:\n  test: echo there && sleep 60\n  quick: "true"\n');
    const running = cli.start(['test'], { cwd });
    await running.until('there');
    const copies = join(cwd, '.git/gbuild');
    expect(readdirSync(copies).length).toBe(1);
    running.kill('SIGKILL');
    await running.ended;
    expect(existsSync(copies)).toBe(true);
    const { exitCode, stderr } = await cli.run(['run', 'quick'], { cwd });
    expect([exitCode, existsSync(copies)], stderr).toEqual([0, false]);
  });
});

describe('a repository that comes with a git folder of its own', () => {
  /** A fresh folder as from an archive: its git would run the program. */
  function makeHostile(name: string): string {
    const cwd = cli.tasks(
      name,
      'tasks:\n  test: cat a\nimage:\n  entrypoint: [cat]\n  layers: [{name: a, from: [a], to: /app}]\n',
      { a: 'a\n' },
    );
    appendFileSync(
      join(cwd, '.git/config'),
      `[filter "p"]\n\tclean = ${program}\n\tsmudge = ${program}\n[core]\n\tfsmonitor = ${program}\n\thooksPath = ${cli.dir}\n[alias]\n\tstatus = !${program}\n`,
    );
    mkdirSync(join(cwd, '.git/info'), { recursive: true });
    writeFileSync(join(cwd, '.git/info/attributes'), '* filter=p\n');
    writeFileSync(join(cwd, 'a'), 'b\n');
    return cwd;
  }

  test('runs nothing on the host, whatever is asked of it', async () => {
    const cwd = makeHostile('git-hostile');
    runGit(cwd, 'status');
    expect(existsSync(ran), 'git itself runs it, or this tests nothing').toBe(true);
    rmSync(ran);
    const results: [string, number | string][] = [];
    for (const args of [['plan', 'test'], ['plan', 'image'], ['test'], ['lock'], ['image', '--json'], ['doctor']])
      results.push([args.join(' '), (await cli.run(args, { cwd })).exitCode]);
    commitAll(cwd, 'second');
    rmSync(ran, { force: true });
    const release = await cli.run(['image', '--release', '1.0.0'], { cwd });
    for (const tag of ['1.0.0', 'dev']) await askEngine(engine, 'DELETE', `/images/git-hostile:${tag}`);
    expect(
      [results.filter(([what, code]) => code !== 0 && what !== 'doctor'), release.exitCode, existsSync(ran)],
      release.stderr,
    ).toEqual([[], 0, false]);
  });

  test('nor does a program beside it with the name of one that gbuild starts, where PATH has the current folder', async () => {
    const cwd = cli.tasks('git-beside', 'image: {entrypoint: [cat], layers: [{name: a, from: [a], to: /app}]}\n', {
      a: 'a\n',
    });
    const config = join(cli.dir, 'docker-beside');
    mkdirSync(config);
    // A registry that wants to know who asks.
    await using registry = createServer((_, answer) => {
      answer.writeHead(401, { 'www-authenticate': 'Basic realm="beside"' }).end();
    }).listen(0, '127.0.0.1');
    await once(registry, 'listening');
    const host = `127.0.0.1:${(registry.address() as AddressInfo).port}`;
    writeFileSync(join(config, 'config.json'), JSON.stringify({ credHelpers: { [host]: 'beside' } }));
    const programs = [
      'git',
      'ssh',
      'docker-machine',
      'podman',
      'docker-credential-beside',
      'npm',
      'apt-get',
      'sh',
      'tar',
    ];
    for (const program of programs)
      writeFileSync(join(cwd, program), `#!/bin/sh\necho ${program} >>${ran}\n`, { mode: 0o755 });
    const calls: [string[], Record<string, string>, number][] = [
      [['plan', 'image'], {}, 0],
      [['doctor'], { DOCKER_HOST: 'ssh://nobody@127.0.0.1:1' }, 3],
      [['test', '--machine', 'beside'], { MACHINE_STORAGE_PATH: join(cli.dir, 'machines-beside') }, 2],
      [['engine', 'ls'], {}, 0],
      [['inspect', `${host}/a:1`], { DOCKER_CONFIG: config }, 3],
    ];
    const started = () => (existsSync(ran) ? readFileSync(ran, 'utf8') : 'nothing');
    for (const entry of ['.', '', 'bin/..'])
      for (const [args, own, exitCode] of calls) {
        const ended = await cli.run(args, { cwd, env: { PATH: `${entry}:${process.env.PATH}`, ...own } });
        expect.soft([args, ended.exitCode, started()], ended.stderr).toEqual([args, exitCode, 'nothing']);
      }
  });

  test("another owner's is read by git's own rule", async () => {
    const cwd = makeHostile('git-foreign');
    execFileSync('chown', ['-R', '12345:12345', cwd]);
    const { exitCode, stderr } = await cli.run(['plan', 'image'], { cwd });
    expect([exitCode, cli.plain(stderr)]).toMatchInlineSnapshot(`
      [
        2,
        "error: git does not read <dir>/git-foreign, which another user owns: fatal: detected dubious ownership in repository at '<dir>/git-foreign'
        try: git config --global --add safe.directory '<dir>/git-foreign'   # if you trust its owner
      ",
      ]
    `);
    const run = await cli.run(['test'], { cwd });
    expect([run.exitCode, run.stdout, cli.plain(run.stderr)]).toMatchInlineSnapshot(`
      [
        0,
        "b
      ",
        "warning: git does not read <dir>/git-foreign, which another user owns: fatal: detected dubious ownership in repository at '<dir>/git-foreign'; tasks do not get the commit's time: git config --global --add safe.directory '<dir>/git-foreign'   # if you trust its owner
      gbuild-test/machine:bookworm is gbuild-test/machine bookworm: written to gbuild.lock; commit it
      > test: cat a
      + test passed (<time>)
      test passed with gbuild-test/machine bookworm in <time>
      ",
      ]
    `);
    expect(existsSync(ran)).toBe(false);
  });
});
