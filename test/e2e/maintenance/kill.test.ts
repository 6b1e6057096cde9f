import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, inject, onTestFinished, test } from 'vitest';
import type { Index, Manifest } from '../../../src/oci/spec.ts';
import { commitAll, git, openCli } from '../../support/cli/cli.ts';
import { askEngine } from '../../support/engines/engine-http.ts';
import { listLeft, nothingLeft } from '../../support/engines/engine-left.ts';

const engine = inject('engineHost');
const cli = openCli({ engine, toolchain: inject('baseImage'), ownCache: true });
afterAll(() => cli[Symbol.dispose]());

/** A repository whose release takes long enough to be killed in: 23 MB of outputs, two layers, a build task. */
async function releasable(name: string): Promise<string> {
  onTestFinished(async () => {
    for (const [tag] of await listTags(name)) await askEngine(engine, 'DELETE', `/images/${tag}`);
  });
  const cwd = cli.tasks(
    name,
    `tasks:
  build: mkdir -p out && seq 1 3000000 > out/numbers && date +%s > built
image:
  entrypoint: [cat]
  layers:
    - {name: numbers, from: [out], to: /app}
    - {name: source, from: [source], to: /app}
`,
    { '.gitignore': 'out/\nbuilt\n', 'source/file': 'text\n' },
  );
  const { exitCode, stderr } = await cli.run(['lock'], { cwd });
  expect(exitCode, stderr).toBe(0);
  commitAll(cwd, 'locked');
  return cwd;
}

const release = ['image', '--release', '1.0.0', '--json'];

/** Images that no tag names, of one repository: what a load that was cut off may leave. */
async function listDangling(name: string): Promise<string[]> {
  const filters = { dangling: ['true'], label: [`org.opencontainers.image.title=${name}`] };
  const { text } = await askEngine(
    engine,
    'GET',
    `/images/json?filters=${encodeURIComponent(JSON.stringify(filters))}`,
  );
  return (JSON.parse(text) as { Id: string }[]).map(({ Id }) => Id);
}

async function listTags(name: string): Promise<[tag: string, id: string][]> {
  const { text } = await askEngine(engine, 'GET', '/images/json');
  const images = JSON.parse(text) as { Id: string; RepoTags: string[] | null }[];
  const tags = images.flatMap(({ Id, RepoTags }) => (RepoTags ?? []).map((tag): [string, string] => [tag, Id]));
  return tags.filter(([tag]) => tag.startsWith(`${name}:`));
}

/** Image ids by name of all releases in the store, every blob of theirs read and found whole. */
function readReleases(name: string): Map<string, string> {
  const store = join(cli.dataDir, 'store');
  const readBlob = (digest: string) => {
    const bytes = readFileSync(join(store, 'blobs/sha256', digest.slice('sha256:'.length)));
    expect(`sha256:${createHash('sha256').update(bytes).digest('hex')}`).toBe(digest);
    return bytes;
  };
  const index = JSON.parse(readFileSync(join(store, 'index.json'), 'utf8')) as Index;
  const releases = index.manifests.map(({ digest, annotations }): [string, string] => {
    const { config, layers } = JSON.parse(readBlob(digest).toString()) as Manifest;
    for (const each of [config, ...layers]) readBlob(each.digest);
    return [annotations?.['org.opencontainers.image.ref.name'] ?? '', config.digest];
  });
  return new Map(releases.filter(([reference]) => reference.startsWith(`${name}:`)));
}

/** Everything in the folders that gbuild keeps between runs that is neither a blob, a log, nor kept on purpose. */
function listStray(): string[] {
  const files = [cli.cacheDir, cli.dataDir, cli.stateDir].filter((dir) => existsSync(dir)).flatMap(listFiles);
  const kept = [
    /^data\/gbuild\/store\/(oci-layout|index\.json|index\.copy|blobs\/sha256\/[0-9a-f]{64})$/,
    /^state\/gbuild\/(runs|builds)\/[^/]+(\/\w+)?\.log$/,
    /^cache\/gbuild\/(parsed|user-tables|fixed-files|workspace-ways|task-times|base-trees)\/[0-9a-f]{64}(\.json)?$/,
    /^cache\/gbuild\/caches-seen\/[\w-]+$/,
  ];
  return files.filter((file) => !kept.some((pattern) => pattern.test(file)));
}

function listFiles(dir: string): string[] {
  const entries = readdirSync(dir, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return entries.map(({ parentPath, name }) => join(parentPath, name).slice(cli.dir.length + 1));
}

test('killed at any of 20 moments of a release, gbuild leaves nothing once it has run again', {
  timeout: 600_000,
}, async () => {
  const name = `e2e-kill-${process.pid}`;
  const cwd = await releasable(name);
  const measured = { cwd, env: { XDG_DATA_HOME: join(cli.dir, 'measured') } };
  const lengths = { cold: 0, warm: 0 };
  for (const store of ['cold', 'warm'] as const) {
    const began = performance.now();
    expect((await cli.run(['image', '--release', `0.0.0-${store}`], measured)).exitCode).toBe(0);
    lengths[store] = performance.now() - began;
  }
  // The first ones while the base is still to be copied to the store, the others while it is there.
  const spread = (count: number, length: number) => Array.from({ length: count }, (_, i) => (length * (i + 1)) / count);
  const moments = [...spread(6, lengths.cold), ...spread(14, lengths.warm)];
  const pids: number[] = [];
  const endings = new Set<unknown>();
  for (const [index, moment] of moments.entries()) {
    const running = cli.start(['image', '--release', `1.0.${index}`], { cwd });
    pids.push(running.pid);
    const timer = setTimeout(() => running.kill('SIGKILL'), moment);
    endings.add((await running.ended).exitCode);
    clearTimeout(timer);
  }
  expect(endings).toContain('SIGKILL');
  const { exitCode, stdout, stderr } = await cli.run(['image', '--release', '2.0.0', '--json'], { cwd });
  expect(exitCode, stderr).toBe(0);
  expect(await listLeft(engine, `io.gbuild.repository=${name}`, pids)).toEqual(nothingLeft);
  expect([listStray(), await listDangling(name)]).toEqual([[], []]);
  expect(git(cwd, 'status', '--porcelain')).toBe('');
  const released = readReleases(name);
  expect(released.get(`${name}:2.0.0`)).toBe(JSON.parse(stdout).imageId);
  // What bears the name on the engine is in the store, the very same image.
  for (const [tag, id] of await listTags(name)) {
    if (!tag.includes(':0.0.0-')) expect([tag, released.get(tag)]).toEqual([tag, id]);
  }
});

test('two releases of one checkout at once make one image, and both say so', async () => {
  const name = `e2e-twice-${process.pid}`;
  const cwd = await releasable(name);
  const both = await Promise.all([cli.run(release, { cwd }), cli.run(release, { cwd })]);
  expect(
    both.map(({ exitCode }) => exitCode),
    both.map(({ stderr }) => stderr).join('\n'),
  ).toEqual([0, 0]);
  const ids = both.map(({ stdout }) => JSON.parse(stdout).imageId);
  expect(ids[0]).toBe(ids[1]);
  expect(await listLeft(engine, `io.gbuild.repository=${name}`)).toEqual(nothingLeft);
});

test('two runs of one checkout at once, the first with no lock yet, both pass', async () => {
  const name = `e2e-both-${process.pid}`;
  const meet =
    'touch here-$(cat /proc/sys/kernel/random/uuid); for i in $(seq 600); do [ $(ls -d here-* | wc -l) -eq 2 ] && exit 0; sleep 0.1; done; exit 9';
  const cwd = cli.tasks(name, `tasks:\n  test: ${meet}\n`);
  const both = await Promise.all([cli.run(['test'], { cwd }), cli.run(['test'], { cwd })]);
  expect(
    both.map(({ exitCode }) => exitCode),
    both.map(({ stderr }) => stderr).join('\n'),
  ).toEqual([0, 0]);
  expect(
    readdirSync(cwd)
      .filter((file) => !file.startsWith('here-'))
      .sort(),
  ).toEqual(['.git', 'gbuild.lock', 'gbuild.yml']);
});

test('killed while it makes a toolchain, gbuild leaves nothing that gbuild clean does not remove', async () => {
  const name = `e2e-half-${process.pid}`;
  const cwd = cli.repository(name, {
    'gbuild.yml': `gbuild: 1\nname: ${name}\ntoolchain: ./tools\ntasks:\n  test: "true"\n`,
    'tools/Dockerfile': `FROM ${inject('baseImage')} AS build\nRUN echo started ${name} && sleep 600\n`,
  });
  const running = cli.start(['test', '--verbose'], { cwd });
  await running.until('started');
  running.kill('SIGKILL');
  await running.ended;
  expect(listStray()).not.toEqual([]);
  expect((await cli.run(['clean'], { cwd })).exitCode).toBe(0);
  expect([listStray(), await listLeft(engine, `io.gbuild.repository=${name}`, [running.pid])]).toEqual([
    [],
    nothingLeft,
  ]);
});

test('gbuild clean removes what a killed run left, and nothing of a living one', async () => {
  const name = `e2e-clean-${process.pid}`;
  const cwd = cli.tasks(name, 'tasks:\n  test: echo ready; until [ -e go ]; do sleep 0.1; done\n');
  const dead = cli.start(['test'], { cwd });
  await dead.until('ready\n');
  const living = cli.start(['test'], { cwd });
  await living.until('ready\n');
  dead.kill('SIGKILL');
  await dead.ended;
  const before = (await listLeft(engine, `io.gbuild.repository=${name}`)).containers;
  const { exitCode } = await cli.run(['clean', '--json'], { cwd });
  const after = (await listLeft(engine, `io.gbuild.repository=${name}`)).containers;
  expect([exitCode, before.length, after.length]).toEqual([0, 2, 1]);
  // Another test's run may have been quicker than clean: that is the promise too.
  expect(before).toEqual(expect.arrayContaining(after));
  living.kill('SIGINT');
  expect((await living.ended).exitCode).toBe(130);
});
