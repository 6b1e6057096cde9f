import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execaSync } from 'execa';
import { afterAll, describe, expect, inject, test } from 'vitest';
import { connectEngine } from '../../../src/engine/engine.ts';
import { readOwner } from '../../../src/fs/process-owner.ts';
import { commitAll, git, openCli } from '../../support/cli/cli.ts';
import { listBlocks } from '../../support/cli/doc-pages.ts';
import { endpointOf } from '../../support/engines/endpoint-of.ts';
import { listTags, removeRepository } from '../../support/engines/engine-images.ts';
import { listLeft, removeVolume } from '../../support/engines/engine-left.ts';
import { runScript } from '../../support/engines/run-script.ts';
import { tinySpec, tinyToolchain } from '../../support/toolchains/tiny-toolchain.ts';

const engine = inject('engineHost');
const cli = openCli({ engine });
const name = `tiny${process.pid}`;
afterAll(async () => {
  await removeRepository(engine, `gbuild/${name}`);
  await removeRepository(engine, 'e2e-tiny');
  cli[Symbol.dispose]();
});

const tiny = (made?: string) => tinyToolchain(name, made);
const spec = tinySpec(name);
const repository = (folder: string, files: Record<string, string> = {}) =>
  cli.repository(folder, { 'gbuild.yml': spec, 'tiny.txt': 'a text\n', ...tiny(), ...files });
const readLock = (cwd: string) => readFileSync(join(cwd, 'gbuild.lock'), 'utf8');

describe('a catalog of one’s own', { timeout: 600_000 }, () => {
  test('in a folder of the repository is a toolchain like any other: tested, locked, released', async () => {
    const cwd = repository('own-folder');
    const tested = await cli.run(['test'], { cwd });
    expect([tested.exitCode, tested.stdout], tested.stderr).toEqual([0, 'tiny 1.2.3\na text\n']);
    commitAll(cwd, 'locked');
    const released = await cli.run(['image', '--release', '1.0.0'], { cwd });
    expect(released.exitCode, released.stderr).toBe(0);
  });

  test('as the pages show one is a toolchain too', async () => {
    const [data, dockerfile] = listBlocks('docs/toolchains.md').filter(({ kind }) => kind === 'toolchain');
    const lua = `lua${process.pid}`;
    const cwd = cli.repository('lua', {
      'gbuild.yml': `gbuild: 1\nname: ${lua}\ntoolchain: lua@^5.4\ncatalogs: [./toolchains]\n`,
      'toolchains/lua/toolchain.yml': data!.text,
      'toolchains/lua/Dockerfile': dockerfile!.text,
      'main.lua': "print('hello from ' .. _VERSION)\n",
      'test.lua': "assert(_VERSION == 'Lua 5.4')\nprint('passed')\n",
    });
    try {
      const tested = await cli.run(['test'], { cwd });
      expect([tested.exitCode, tested.stdout], tested.stderr).toEqual([0, 'passed\n']);
      commitAll(cwd, 'locked');
      const released = await cli.run(['image', '--release', '1.0.0'], { cwd });
      expect(released.exitCode, released.stderr).toBe(0);
      const client = connectEngine(endpointOf(engine), { owner: readOwner(), runId: `toolchain-${process.pid}` });
      expect(await runScript(client, `${lua}:1.0.0`, 'cd /app && lua5.4 main.lua')).toBe('hello from Lua 5.4\n');
      client.close();
    } finally {
      await removeRepository(engine, lua);
      await removeRepository(engine, 'gbuild/lua');
    }
  });

  test('at a git address is cloned once, at the branch that is named', async () => {
    const origin = cli.repository('origin', { 'README.md': 'Toolchains\n' });
    git(origin, 'checkout', '-q', '-b', 'v1');
    for (const [path, text] of Object.entries(tiny('echo from git'))) {
      mkdirSync(join(origin, path.replace('toolchains/', ''), '..'), { recursive: true });
      writeFileSync(join(origin, path.replace('toolchains/', '')), text);
    }
    commitAll(origin, 'a toolchain');
    git(origin, 'checkout', '-q', 'main');
    const address = `file://${origin}#v1`;
    const cwd = cli.repository('own-git', {
      'gbuild.yml': `gbuild: 1\nname: e2e-tiny\ntoolchain: ${name}@2\ncatalogs: ['${address}']\ntasks: {test: tiny}\n`,
    });
    const first = await cli.run(['test'], { cwd });
    expect([first.exitCode, first.stdout], first.stderr).toEqual([0, 'from git\n']);
    expect(first.stderr).toContain(`fetching the toolchain catalog ${address}`);
    const again = await cli.run(['test'], { cwd });
    expect([again.stdout, again.stderr.includes('fetching')]).toEqual(['from git\n', false]);
    const missing = await cli.run(['plan'], {
      cwd: cli.repository('own-missing', { 'gbuild.yml': `${spec.replace('./toolchains', 'file:///nowhere/at/all')}` }),
    });
    expect([missing.exitCode, missing.stderr]).toEqual([
      3,
      expect.stringContaining('error: the toolchain catalog file:///nowhere/at/all cannot be fetched:\n'),
    ]);
  });

  test("in the caller's configuration serves every repository, also those without a gbuild.yml", async () => {
    const catalog = cli.repository('catalog', tiny());
    const configDir = join(cli.dir, 'config');
    mkdirSync(join(configDir, 'gbuild'), { recursive: true });
    writeFileSync(join(configDir, 'gbuild/config.yml'), `config: 1\ncatalogs: [${join(catalog, 'toolchains')}]\n`);
    const env = { XDG_CONFIG_HOME: configDir };
    const cwd = cli.repository('own-config', { 'tiny.txt': 'detected\n', '.tiny-version': '1.0.0\n' });
    const tested = await cli.run(['test'], { cwd, env });
    expect([tested.exitCode, tested.stdout], tested.stderr).toEqual([0, 'tiny 1.2.3\ndetected\n']);
    expect(tested.stderr).toContain(`assuming toolchain: .tiny-version asks for 1.0.0`);
    writeFileSync(join(configDir, 'gbuild/config.yml'), 'config: 1\ncatalogs: [relative]\ncatalog: []\n');
    const broken = await cli.run(['plan'], { cwd, env });
    expect([broken.exitCode, cli.plain(broken.stderr)]).toMatchInlineSnapshot(`
      [
        2,
        "error: 2 mistakes in <dir>/config/gbuild/config.yml

        <dir>/config/gbuild/config.yml:2:12  catalogs[0]: expected an absolute folder, one below ~/, or a git address such as https://git.example.com/toolchains.git#v1, found "relative"
            1 | config: 1
          > 2 | catalogs: [relative]
              |            ^^^^^^^^

        <dir>/config/gbuild/config.yml:3:1  catalog: expected a known key, found "catalog"
            2 | catalogs: [relative]
          > 3 | catalog: []
              | ^^^^^^^
          did you mean catalogs?
      ",
      ]
    `);
  });

  test('with a mistake is told with its place, and so is a Dockerfile that fails, with its last words', async () => {
    const broken = repository('own-broken', {
      [`toolchains/${name}/toolchain.yml`]: tiny()[`toolchains/${name}/toolchain.yml`]!.replace('title', 'titel'),
    });
    const told = await cli.run(['plan'], { cwd: broken });
    expect([told.exitCode, cli.plain(told.stderr).replaceAll(name, 'TINY')]).toMatchInlineSnapshot(`
      [
        2,
        "error: this toolchain data cannot be used:
        <dir>/own-broken/toolchains/TINY/toolchain.yml:1:1 title: Invalid input: expected string, received undefined
        <dir>/own-broken/toolchains/TINY/toolchain.yml:3:8 titel: there is no such key
        try: mend <dir>/own-broken/toolchains/TINY/toolchain.yml
      ",
      ]
    `);
    const failing = repository('own-failing', {
      [`toolchains/${name}/Dockerfile`]: `ARG GBUILD_ROOT\nFROM \${GBUILD_ROOT} AS build\nRUN echo first words; echo last words; exit 7\nFROM build AS runtime\n`,
    });
    const failed = await cli.run(['test'], { cwd: failing });
    expect(failed.exitCode).toBe(2);
    expect(failed.stderr).toMatch(/could not build tiny\d+ 1.2.3.* exit code: 7\n {2}first words\n {2}last words\n/);
    const log = /try: less '(.*)'/.exec(failed.stderr)?.[1] ?? '';
    expect(readFileSync(log, 'utf8')).toContain('first words\nlast words\n');
    expect(existsSync(join(failing, 'gbuild.lock'))).toBe(false);
  });
});

// Only root can make a disk as small as this one.
describe.skipIf(process.getuid?.() !== 0)('a full disk', { timeout: 600_000 }, () => {
  test('ends the making of a toolchain with a sentence, leaves nothing, and the next run is right', async () => {
    const own = openCli({ engine, ownCache: true });
    const cwd = own.repository('full', { 'gbuild.yml': spec, ...tiny('echo full') });
    const dockerfile = join(cwd, `toolchains/${name}/Dockerfile`);
    const big = 'RUN head -c 40000000 /dev/urandom > /big';
    writeFileSync(dockerfile, readFileSync(dockerfile, 'utf8').replace('ARG VERSION', `${big}\nARG VERSION`));
    mkdirSync(own.cacheDir, { recursive: true });
    execaSync('mount', ['-t', 'tmpfs', '-o', 'size=16m', 'tmpfs', own.cacheDir]);
    try {
      const failing = own.start(['toolchain', 'build'], { cwd });
      const { exitCode, stderr } = await failing.ended;
      expect([exitCode, own.plain(stderr.slice(stderr.indexOf('error:')))]).toMatchInlineSnapshot(`
        [
          3,
          "error: there is no room left on the disk: <dir>/cache/gbuild/work (ENOSPC: no space left on device, write)
          try: df -h '<dir>/cache/gbuild/work'
          try: gbuild clean
        ",
        ]
      `);
      expect((await listLeft(engine, 'io.gbuild.repository=none', [failing.pid])).stagingImages).toEqual([]);
      expect(readdirSync(join(own.cacheDir, 'work'))).toEqual([]);
      execaSync('mount', ['-o', 'remount,size=1g', own.cacheDir]);
      const again = await own.run(['toolchain', 'build'], { cwd });
      expect(again.exitCode, again.stderr).toBe(0);
      const tags = again.stdout.trim().split('\n').sort();
      expect(tags).toEqual([expect.stringMatching(/-[0-9a-f]{12}$/), expect.stringMatching(/-runtime$/)]);
    } finally {
      execaSync('umount', [own.cacheDir]);
      own[Symbol.dispose]();
    }
  });
});

describe.skipIf(process.getuid?.() !== 0)('a workspace without room', { timeout: 600_000 }, () => {
  test('fails a gbuild lock that could not write its file, and leaves nothing there', async () => {
    const cwd = join(cli.dir, 'no-room');
    mkdirSync(cwd);
    execaSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', cwd]);
    try {
      repository('no-room');
      execaSync('dd', ['if=/dev/zero', `of=${join(cwd, 'filler')}`, 'bs=4k'], { reject: false });
      const before = readdirSync(cwd);
      const { exitCode, stderr } = await cli.run(['lock'], { cwd });
      const said = `${join(cwd, 'gbuild.lock')} cannot be written: there is no room left on the disk`;
      expect([exitCode, stderr]).toEqual([3, expect.stringContaining(`error: ${said}`)]);
      expect(readdirSync(cwd)).toEqual(before);
    } finally {
      execaSync('umount', [cwd]);
    }
  });
});

describe('gbuild.lock', { timeout: 600_000 }, () => {
  test('says what was asked, what it is, where it comes from and what is inside', async () => {
    const cwd = repository('lock-says');
    expect((await cli.run(['lock'], { cwd })).exitCode).toBe(0);
    const lock = readLock(cwd)
      .replaceAll(/sha256:[0-9a-f]{64}/g, 'DIGEST')
      .replaceAll(name, 'TINY')
      .replace(/ {8}\w[\w.+-]*: .*\n/g, (line) => {
        if (line.includes('tiny:')) return line;
        return line.includes('base-files') ? '        base-files: VERSION\n' : '';
      })
      .replace('linux/arm64', 'linux/amd64');
    expect(lock).toMatchInlineSnapshot(`
      "# What the toolchain of gbuild.yml was resolved to. Written by gbuild: commit it, do not edit it.
      lock: 1
      toolchain:
        request: TINY@^1
        name: TINY
        version: 1.2.3
        recipe: DIGEST
        platforms:
          linux/amd64:
            build: DIGEST
            runtime: DIGEST
            base: DIGEST
            source: packages
            tools:
              tiny: 1.2.3
            packages: DIGEST
            runtimePackages:
              base-files: VERSION
      "
    `);
  });

  test('is checked without an engine: missing, fitting, and for something else with the lines that say so', async () => {
    const cwd = repository('lock-check');
    const nowhere = { DOCKER_HOST: 'tcp://127.0.0.1:1' };
    const check = async () => {
      const { exitCode, stdout, stderr } = await cli.run(['lock', '--check'], { cwd, env: nowhere });
      return [exitCode, `${stdout}${cli.plain(stderr)}`.replaceAll(name, 'TINY')];
    };
    const missing = await check();
    expect((await cli.run(['lock'], { cwd })).exitCode).toBe(0);
    const fitting = await check();
    writeFileSync(join(cwd, 'gbuild.yml'), spec.replace('@^1', '@2'));
    const other = await check();
    writeFileSync(join(cwd, 'gbuild.yml'), spec);
    writeFileSync(join(cwd, `toolchains/${name}/Dockerfile`), `${tiny()[`toolchains/${name}/Dockerfile`]}# changed\n`);
    const recipe = await check();
    expect({ missing, fitting, other, recipe }).toMatchInlineSnapshot(`
      {
        "fitting": [
          0,
          "gbuild.lock fits: TINY@^1 is TINY 1.2.3
      ",
        ],
        "missing": [
          2,
          "error: <dir>/lock-check/gbuild.lock is missing
        try: gbuild lock && git add gbuild.lock && git commit -m "Lock the toolchain"
      ",
        ],
        "other": [
          2,
          "error: <dir>/lock-check/gbuild.lock: it is for "TINY@^1", the spec asks for "TINY@2"
        <dir>/lock-check/gbuild.yml:3:12 toolchain
        <dir>/lock-check/gbuild.lock:4:12 toolchain.request
        try: gbuild lock && git add gbuild.lock && git commit -m "Lock the toolchain"
      ",
        ],
        "recipe": [
          2,
          "error: <dir>/lock-check/gbuild.lock: it was written for another recipe of TINY 1.2.3
        <dir>/lock-check/gbuild.yml:3:12 toolchain
        <dir>/lock-check/gbuild.lock:7:11 toolchain.recipe
        try: gbuild lock && git add gbuild.lock && git commit -m "Lock the toolchain"
      ",
        ],
      }
    `);
  });

  test('that does not fit ends a run in CI with those lines, and is written anew elsewhere', async () => {
    const cwd = repository('lock-stale');
    expect((await cli.run(['lock'], { cwd })).exitCode).toBe(0);
    // One of its tasks needs one that only the toolchain has.
    const more = 'tasks:\n  more: { run: "true", needs: [test] }\n';
    writeFileSync(join(cwd, 'gbuild.yml'), `${spec.replace('@^1', '@1.0.0')}${more}`);
    const before = readLock(cwd);
    for (const [args, env] of [
      [['test'], { CI: 'true' }],
      [['test', '--frozen'], {}],
    ] as const) {
      const { exitCode, stderr } = await cli.run([...args], { cwd, env });
      expect([exitCode, stderr]).toEqual([2, expect.stringContaining(`${cwd}/gbuild.lock:4:12 toolchain.request`)]);
      expect(readLock(cwd)).toBe(before);
    }
    const { exitCode, stderr } = await cli.run(['test'], { cwd });
    expect([exitCode, stderr]).toEqual([0, expect.stringContaining('gbuild.lock is written again: it ')]);
    expect(readLock(cwd)).toContain('version: 1.0.0');
  });

  test('from which packages have moved on lets tests go on and says so, and refuses a release with the difference', async () => {
    const cwd = repository('lock-moved');
    expect((await cli.run(['lock'], { cwd })).exitCode).toBe(0);
    // As a lock looks that was written when base-files and tiny were older.
    const other = `sha256:${'1'.repeat(64)}`;
    const moved = readLock(cwd)
      .replace(/build: sha256:\w+/, `build: ${other}`)
      .replace(/runtime: sha256:\w+/, `runtime: ${other}`)
      .replace(/packages: sha256:\w+/, `packages: ${other}`)
      .replace(/base-files: .*/, 'base-files: "12.0"\n        zzz: "1"')
      .replace(/tiny: 1\.2\.3/, 'tiny: 1.2.2');
    writeFileSync(join(cwd, 'gbuild.lock'), moved);
    commitAll(cwd, 'an older lock');
    const tested = await cli.run(['test'], { cwd });
    expect([tested.exitCode, tested.stderr.replaceAll(name, 'TINY')]).toEqual([
      0,
      expect.stringContaining(
        'TINY 1.2.3 is not the one of gbuild.lock: packages have changed since (tiny 1.2.2 -> 1.2.3)',
      ),
    ]);
    const { exitCode, stderr } = await cli.run(['image', '--release', '1.0.0'], { cwd });
    const text = stderr.slice(stderr.indexOf('error:')).replaceAll(/sha256:[0-9a-f]{64}/g, 'ID');
    expect([exitCode, text.replaceAll(engine, 'ENGINE').replace(/-> .*/, '-> VERSION')]).toMatchInlineSnapshot(`
      [
        2,
        "error: gbuild.lock names the runtime image ID, but ENGINE has ID: packages have changed since the lock was written
        base-files 12.0 -> VERSION
        - zzz 1
        try: gbuild lock --update && git add gbuild.lock && git commit -m "Lock the toolchain again"
        try: or have the locked image on this engine: from a colleague or a registry that has it
      ",
      ]
    `);
  });

  test('holds the image to build in to its packages where the Java of a release comes from there', async () => {
    const file = `toolchains/${name}/toolchain.yml`;
    const own = `jre:
  own:
    target: runtime
    env: { MODULES: '{modules}' }
    layers: [{ name: jre, from: [jre/], to: /opt/java }]
tasks:
  stage: { run: 'mkdir -p jre && echo "$MODULES" > jre/modules', because: there is a tiny.txt }`;
    const cwd = repository('lock-jre', {
      'gbuild.yml': `${spec}image: { jre: { kind: own, modules: [b, a] } }\n`,
      '.gitignore': 'jre/\n',
      [file]: tiny()[file]!.replace('tasks:', own),
    });
    expect((await cli.run(['lock'], { cwd })).exitCode).toBe(0);
    commitAll(cwd, 'locked');
    const released = await cli.run(['image', '--release', '1.1.0'], { cwd });
    expect(released.exitCode, released.stderr).toBe(0);
    const client = connectEngine(endpointOf(engine), { owner: readOwner(), runId: `toolchain-${process.pid}` });
    expect(await runScript(client, 'e2e-tiny:1.1.0', 'cat /opt/java/modules /app/tiny.txt')).toBe('a b\na text\n');
    client.close();
    const moved = readLock(cwd)
      .replace(/packages: sha256:\w+/, `packages: sha256:${'1'.repeat(64)}`)
      .replace(/tiny: 1\.2\.3/, 'tiny: 1.2.2');
    writeFileSync(join(cwd, 'gbuild.lock'), moved);
    commitAll(cwd, 'an older lock');
    const { exitCode, stderr } = await cli.run(['image', '--release', '1.1.1'], { cwd });
    const text = stderr.slice(stderr.indexOf('error:')).replaceAll(name, 'TINY').replaceAll(engine, 'ENGINE');
    expect([exitCode, text.replace(/(?<=1\.2\.3-)\w+/, 'RECIPE')]).toMatchInlineSnapshot(`
      [
        2,
        "error: image.jre comes from gbuild/TINY:1.2.3-RECIPE, and ENGINE has it with other packages than gbuild.lock names: they have changed since the lock was written
        tiny 1.2.2 -> 1.2.3
        try: gbuild lock --update && git add gbuild.lock && git commit -m "Lock the toolchain again"
      ",
      ]
    `);
  });
});

describe('gbuild toolchain and gbuild cache', { timeout: 600_000 }, () => {
  test('build, list, look into and remove a toolchain by name', async () => {
    const cwd = repository('commands');
    const built = await cli.run(['toolchain', 'build', `${name}@2.0.0`], { cwd });
    expect(built.exitCode, built.stderr).toBe(0);
    const [build = '', runtime = ''] = built.stdout.trim().split('\n');
    expect([build.split('-')[0], runtime]).toEqual([`gbuild/${name}:2.0.0`, `${build}-runtime`]);
    const listed = JSON.parse((await cli.run(['toolchain', 'ls', '--json'], { cwd })).stdout);
    expect(listed.images).toEqual(
      expect.arrayContaining([
        { reference: build, role: 'build', id: expect.stringMatching(/^sha256:/), size: expect.any(Number) },
        { reference: runtime, role: 'runtime', id: expect.stringMatching(/^sha256:/), size: expect.any(Number) },
      ]),
    );
    expect((await cli.run(['toolchain', 'ls'], { cwd })).stdout).toMatch(
      new RegExp(`^${build} +build +[0-9a-f]{12} +\\d+ MB$`, 'm'),
    );
    const inspected = await cli.run(['toolchain', 'inspect', `${name}@2`, '--json'], { cwd });
    expect(JSON.parse(inspected.stdout)).toMatchObject({
      version: '2.0.0',
      images: [{ reference: build }, { reference: runtime }],
      tools: { tiny: '1.2.3' },
      packages: { dpkg: expect.any(String) },
      runtimePackages: { coreutils: expect.any(String) },
    });
    const available = await cli.run(['toolchain', 'ls', '--available'], {
      cwd,
      env: { DOCKER_HOST: 'tcp://127.0.0.1:1' },
    });
    expect(available.stdout).toMatch(new RegExp(`^${name} +Tiny +1.0.0 to 2.0.0`, 'm'));
    expect(available.stdout).toMatch(/^node +Node.js/m);
    const removed = await cli.run(['toolchain', 'rm', `${name}@2.0.0`], { cwd });
    expect([removed.exitCode, removed.stdout.split('\n').sort()]).toEqual([
      0,
      expect.arrayContaining(['', `removed ${build}`, `removed ${runtime}`]),
    ]);
    expect(await listTags(engine, `gbuild/${name}`)).not.toContain(build);
  });

  test('say what is missing in the call', async () => {
    const errors = await Promise.all(
      [
        ['toolchain', 'rm'],
        ['toolchain', 'rm', 'nope'],
        ['toolchain', 'inspect', 'a b'],
        ['cache', 'rm'],
        ['cache', 'rm', 'nope'],
      ].map((args) => cli.run(args)),
    );
    expect(errors.map(({ exitCode, stderr }) => `${exitCode} ${stderr}`)).toMatchInlineSnapshot(`
      [
        "2 error: no toolchain image is named: name some, or pass --all
        try: gbuild toolchain ls
        try: gbuild toolchain rm --all
      ",
        "2 error: no image of a toolchain is called nope
        try: gbuild toolchain ls
      ",
        "2 error: "a b" is not a toolchain: expected one such as node@^22
        try: gbuild toolchain ls --available
      ",
        "2 error: no cache is named: name some, or pass --all
        try: gbuild cache ls
        try: gbuild cache rm --all
      ",
        "2 error: there is no cache called nope
        try: gbuild cache ls
      ",
      ]
    `);
  });

  test('list and empty the caches of runs', async () => {
    const cache = `e2e-cache-${process.pid}`;
    const cwd = cli.repository('caches', {
      'gbuild.yml': `gbuild: 1\nname: e2e-tiny\ntoolchain: ${inject('baseImage')}\ncaches: [{name: ${cache}, path: /cache/x}]\ntasks: {test: head -c 3000000 /dev/zero > /cache/x/zeros}\n`,
    });
    const uid = process.getuid?.() ?? 0;
    const volume = `gbuild-cache-${cache}-${uid}`;
    try {
      expect((await cli.run(['test'], { cwd })).exitCode).toBe(0);
      const { caches } = JSON.parse((await cli.run(['cache', 'ls', '--json'])).stdout);
      expect(caches).toContainEqual({ name: cache, volume, size: 3_000_000, created: expect.any(String) });
      expect((await cli.run(['cache', 'ls'])).stdout).toMatch(new RegExp(`^${cache} +${volume} +3.0 MB `, 'm'));
      expect((await cli.run(['cache', 'rm', cache])).stdout).toBe(`removed ${volume}\n`);
      expect((await cli.run(['cache', 'ls'])).stdout).not.toContain(volume);
    } finally {
      await removeVolume(engine, volume);
    }
  });
});

test("the caller's settings of a tool reach its runs, are said by plan, and nobody else can read them", async () => {
  using own = openCli({ engine, ownCache: true });
  const kept = '//npm.example.org/:_authToken=hush-7f3a';
  writeFileSync(join(own.dir, 'home/.npmrc'), `prefix=/home/ada\n${kept}\n`);
  const cwd = own.repository('settings', {
    'gbuild.yml': 'gbuild: 1\nname: e2e-tiny\ntoolchain: node@22\ntasks:\n  test: cat ~/.npmrc; stat -c %a ~/.npmrc\n',
  });
  const planned = await own.run(['plan'], { cwd });
  expect(planned.stdout).toContain('settings    ~/.npmrc -> /home/gbuild/.npmrc\n');
  const { exitCode, stdout, stderr } = await own.run(['test'], { cwd });
  expect([exitCode, stdout], stderr).toEqual([0, `${kept}\n600\n`]);
  expect(`${planned.stdout}${stderr}`).not.toContain('hush');
}, 600_000);

test("a repository's own catalog gets none of the caller's files, unless the caller names it, too", async () => {
  using own = openCli({ engine, ownCache: true });
  writeFileSync(join(own.dir, 'home/.netrc'), 'machine example.org password hush-7f3a\n');
  const data = tiny()[`toolchains/${name}/toolchain.yml`]!;
  const cwd = own.repository('thief', {
    'gbuild.yml': `${spec}tasks: { test: cat /home/gbuild/.netrc || echo nothing there }\n`,
    ...tiny(),
    [`toolchains/${name}/toolchain.yml`]: `${data}hostFiles: [{ from: .netrc, to: /home/gbuild/.netrc }]\n`,
  });
  const refused = await own.run(['test'], { cwd });
  expect([refused.exitCode, refused.stdout]).toEqual([0, 'nothing there\n']);
  expect(refused.stderr).toContain(`warning: ${name} does not get ~/.netrc: this repository names its catalog`);
  const config = join(own.dir, 'config/gbuild/config.yml');
  mkdirSync(join(config, '..'), { recursive: true });
  writeFileSync(config, `config: 1\ncatalogs: [${join(cwd, 'toolchains')}]\n`);
  const given = await own.run(['test'], { cwd, env: { XDG_CONFIG_HOME: join(own.dir, 'config') } });
  expect([given.exitCode, given.stdout]).toEqual([0, 'machine example.org password hush-7f3a\n']);
}, 600_000);

test('a cache that outgrows its limit is emptied once the tasks have ended', async () => {
  using own = openCli({ engine, ownCache: true });
  const cache = `e2e-bound-${process.pid}`;
  const volume = `gbuild-cache-${cache}-${process.getuid?.() ?? 0}`;
  const configDir = join(own.dir, 'config');
  mkdirSync(join(configDir, 'gbuild'), { recursive: true });
  writeFileSync(join(configDir, 'gbuild/config.yml'), 'config: 1\ncacheLimit: 6m\n');
  const cwd = own.repository('bound', {
    'gbuild.yml': `gbuild: 1\nname: e2e-tiny\ntoolchain: ${inject('baseImage')}\ncaches: [{name: ${cache}, path: /cache/x}]\ntasks:\n  fill: head -c 8000000 /dev/zero > /cache/x/zeros\n  wait: sleep 5; ls /cache/x\n`,
  });
  const run = (task: string) => own.run(['run', task], { cwd, env: { XDG_CONFIG_HOME: configDir } });
  try {
    expect((await run('fill')).exitCode).toBe(0);
    expect((await run('wait')).stdout).toBe('zeros\n');
    // A day later: what was remembered of the last look is gone. A busy engine may take longer to count than the task takes.
    let later = '';
    for (let tries = 0; tries < 6 && !later.includes('emptied'); tries += 1) {
      rmSync(join(own.cacheDir, 'caches-seen'), { recursive: true, force: true });
      later = (await run('wait')).stderr;
    }
    expect(later).toContain(`the cache ${cache} had 8.0 MB, more than 6.3 MB: emptied`);
    expect((await run('wait')).stdout).toBe('');
  } finally {
    await removeVolume(engine, volume);
  }
});

describe('where several toolchains fit', () => {
  const files = { 'package.json': '{"name":"both","scripts":{"test":"true"}}', Gemfile: '', Rakefile: '' };

  test('the first by a written rule is taken, and the others are named', async () => {
    const cwd = cli.repository('both', files);
    const { stdout, stderr } = await cli.run(['plan'], { cwd });
    expect(stdout).toContain('toolchain   ruby@^3 is ruby 3.3');
    expect(stderr).toContain('this could also be node: what is built by ruby is taken first');
  });

  test('a person at a terminal is asked', async () => {
    const cwd = cli.repository('asked', files);
    const running = cli.start(['init'], { cwd, terminal: true, input: 'open', env: { TERM: 'xterm' } });
    await running.until('Which one builds it?');
    running.type('\u001b[B\r');
    const { exitCode } = await running.ended;
    expect(exitCode, running.output()).toBe(0);
    expect(readFileSync(join(cwd, 'gbuild.yml'), 'utf8')).toContain('toolchain: node@');
  });
});
