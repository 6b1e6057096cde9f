import { execFileSync } from 'node:child_process';
import { appendFileSync, copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findTestEngine } from '../test/support/engines/test-engine.ts';
import { baseImage } from '../test/support/images/base-image.ts';
import { startSshEngine } from '../test/support/remote-engines/ssh-engine.ts';
import { comparePairs, env, median } from './pairs.mjs';
import { makeTree } from './tree.mjs';

const gbuild = fileURLToPath(new URL('../bin/run.js', import.meta.url));
const node = process.execPath;

/**
 * A repository whose engine is in a container and does not see it: reached over TCP, and over ssh as `ssh://box`. gbuild's
 * own memory is in the repository's neighbour, so that nothing is known of it beforehand.
 */
async function onFarEngine(docker, work) {
  const engine = await findTestEngine();
  if (engine === undefined) throw new Error('the benchmark needs an engine: set DOCKER_HOST');
  await using far = await startSshEngine(engine.host);
  // In memory: what a disk makes of twenty thousand new files varies more than all that is compared.
  await far.exec('mount -t tmpfs tmpfs /var/lib/docker/volumes');
  const root = mkdtempSync(join(tmpdir(), 'gbuild-bench-sync-'));
  const dir = join(root, 'repository');
  const own = { XDG_CACHE_HOME: join(root, 'cache'), XDG_STATE_HOME: join(root, 'state'), DOCKER_HOST: far.host };
  try {
    mkdirSync(dir);
    const spec = `gbuild: 1\nname: bench-sync\ntoolchain: ${baseImage}\ntasks:\n  test: "true"\n`;
    writeFileSync(join(dir, 'gbuild.yml'), spec);
    execFileSync('git', ['init', '--quiet'], { cwd: dir });
    const test = { file: node, args: [gbuild, 'test', '--quiet'], cwd: dir, env: own };
    return await work({ dir, own, far, test, run: (args) => execFileSync(docker, args, { env: { ...env, ...own } }) });
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

/** How much more memory a run takes for one changed file of many than for a workspace of one file. */
export function benchSyncMemory(docker, { files, bytes }) {
  return onFarEngine(docker, ({ dir, own, test }) => {
    const small = makeSmall(dir);
    const { changeable } = makeTree(dir, { files, bytes });
    const noted = join(dir, '..', 'rss');
    const hook = { NODE_OPTIONS: `--import=${new URL('rss.mjs', import.meta.url)}`, BENCH_RSS: noted };
    const run = (cwd) => {
      execFileSync(test.file, test.args, { cwd, env: { ...env, ...own, ...hook }, stdio: 'ignore' });
      return Number(readFileSync(noted, 'utf8'));
    };
    for (const cwd of [dir, small]) run(cwd);
    const ratios = [0, 1, 2, 3, 4].map((turn) => {
      appendFileSync(changeable[turn * 37], 'x');
      return run(dir) / run(small);
    });
    return { value: median(ratios), unit: 'ratio' };
  });
}

/** A repository beside another one, of its gbuild.yml alone. */
function makeSmall(dir) {
  const small = mkdtempSync(join(dir, '..', 'small-'));
  copyFileSync(join(dir, 'gbuild.yml'), join(small, 'gbuild.yml'));
  execFileSync('git', ['init', '--quiet'], { cwd: small });
  return small;
}

/** A task that does nothing on an engine elsewhere; the workspace is there already. */
export function benchRemoteRun(docker) {
  return onFarEngine(docker, ({ test, own, dir }) => {
    const peer = { file: docker, args: ['run', '--rm', '--init', baseImage, 'true'], cwd: dir, env: own };
    return comparePairs({ ours: test, peer, rounds: 15 });
  });
}

/** All of it for the first time, and then a task that does nothing; the peer's container only has the files. */
export function benchFirstSync(docker, { files, bytes, rounds }) {
  return onFarEngine(docker, ({ dir, own, test, run }) => {
    makeTree(dir, { files, bytes });
    const script = `id=$('${docker}' create -v bench-sync-peer:/workspace ${baseImage} true) &&
      tar -C '${dir}' -c . | '${docker}' cp - "$id:/workspace" && '${docker}' rm "$id"`;
    // So that there is something to remove before the first turn.
    execFileSync(test.file, test.args, { cwd: dir, env: { ...env, ...own }, stdio: 'ignore' });
    const before = (side) => {
      if (side === 'peer') run(['volume', 'rm', '--force', 'bench-sync-peer']);
      else
        execFileSync(node, [gbuild, 'cache', 'rm', 'workspace'], {
          cwd: dir,
          env: { ...env, ...own },
          stdio: 'ignore',
        });
    };
    return comparePairs({ ours: test, peer: { file: 'sh', args: ['-c', script], cwd: dir, env: own }, before, rounds });
  });
}

/**
 * One file has changed: a run over ssh against rsync's look at both sides over the same ssh. The whole of the run, or what it
 * takes longer than one whose workspace is nothing but gbuild.yml.
 */
export function benchChangedSync(docker, { files, bytes, rounds, isWhole }) {
  return onFarEngine(docker, async ({ dir, far, test }) => {
    const { changeable } = makeTree(dir, { files, bytes });
    await far.exec('(apt-get -qq update && apt-get -qq install -y --no-install-recommends rsync) >/dev/null 2>&1');
    const path = { PATH: `${far.binDir}:${process.env.PATH}` };
    const ours = { ...test, env: { ...test.env, ...path, DOCKER_HOST: 'ssh://box' } };
    const peer = { file: 'rsync', args: ['-a', '--delete', `${dir}/`, 'box:workspace/'], cwd: dir, env: path };
    const base = isWhole ? undefined : { ...ours, cwd: makeSmall(dir) };
    let turn = 0;
    const before = () => appendFileSync(changeable[(turn++ * 37) % changeable.length], 'x');
    return comparePairs({ ours, peer, base, before, rounds });
  });
}
