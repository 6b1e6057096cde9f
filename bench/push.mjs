import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startRegistry } from '../test/support/registry/registry.ts';
import { comparePairs, env } from './pairs.mjs';

const gbuild = fileURLToPath(new URL('../bin/run.js', import.meta.url));
const compressor = fileURLToPath(new URL('./gzip.mjs', import.meta.url));
const node = process.execPath;

/** 100 MB that compress to about three quarters, as jars and programs do; other ones each time. */
function writeDependencies(dir) {
  mkdirSync(join(dir, 'dependencies'), { recursive: true });
  for (let i = 0; i < 25; i += 1)
    writeFileSync(join(dir, `dependencies/${i}`), randomBytes(3_000_000).toString('base64'));
}

function writeClass(dir, turn) {
  mkdirSync(join(dir, 'classes'), { recursive: true });
  writeFileSync(join(dir, 'classes/Main.class'), `class ${process.pid} ${turn}\n`);
}

/** A repository with two layers on a base of nothing, released and pushed from; works with a registry of its own. */
async function inRelease(docker, work) {
  const dir = mkdtempSync(join(tmpdir(), 'gbuild-bench-push-'));
  const own = { ...env, XDG_DATA_HOME: join(dir, '.data') };
  const git = (...args) => execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@b', ...args], { cwd: dir });
  await using registry = await startRegistry();
  let turn = 0;
  try {
    git('init', '--quiet');
    writeFileSync(join(dir, '.gitignore'), '.data/\n.out/\ndependencies/\nclasses/\n');
    const layers = '[{name: dependencies, from: [dependencies]}, {name: classes, from: [classes]}]';
    writeFileSync(
      join(dir, 'gbuild.yml'),
      `gbuild: 1\nname: bench-push\ntoolchain: node@^22\nimage: {base: scratch, build: false, entrypoint: [/app/a], layers: ${layers}}\n`,
    );
    writeFileSync(
      join(dir, 'Dockerfile'),
      'FROM scratch\nCOPY dependencies /app/dependencies\nCOPY classes /app/classes\n',
    );
    writeFileSync(join(dir, '.dockerignore'), '.data\n.out\n.git\n');
    writeDependencies(dir);
    writeClass(dir, turn);
    execFileSync(node, [gbuild, 'lock'], { cwd: dir, env: own, stdio: 'ignore' });
    git('add', '-A');
    git('commit', '--quiet', '-m', 'x');
    return work({
      dir,
      own,
      registry: registry.host,
      version: () => `1.0.${turn}`,
      /** A new version of the content that is there now, on the engine and in the store. */
      release: (...flags) => {
        turn += 1;
        const args = [gbuild, 'image', '--release', `1.0.${turn}`, ...flags];
        execFileSync(node, args, { cwd: dir, env: own, stdio: 'ignore' });
      },
      change: () => writeClass(dir, ++turn),
    });
  } finally {
    const ids = execFileSync(docker, [
      'images',
      '--quiet',
      '--filter',
      'label=org.opencontainers.image.title=bench-push',
    ]);
    const unique = [...new Set(ids.toString().split('\n').filter(Boolean))];
    if (unique.length > 0) execFileSync(docker, ['rmi', '--force', ...unique], { stdio: 'ignore' });
    rmSync(dir, { recursive: true, force: true });
  }
}

const pushed = ({ dir, own, registry, version }) => ({
  file: node,
  args: () => [gbuild, 'push', version(), '--registry', registry, '--no-attest', '--quiet'],
  cwd: dir,
  env: own,
});

/** A new layer of 100 MB each time; crane sends it as it lies in the layout, docker and gbuild compress it. */
export function benchPushLarge(docker, peer) {
  return inRelease(docker, (bench) => {
    const { dir, registry, version } = bench;
    const target = `${registry}/bench-peer`;
    const peers = {
      crane: { file: 'crane', args: () => ['push', '--insecure', join(dir, '.out'), `${target}:${version()}`] },
      docker: { file: docker, args: () => ['push', '--quiet', `${target}:${version()}`] },
    };
    const before = (side) => {
      writeDependencies(dir);
      rmSync(join(dir, '.out'), { recursive: true, force: true });
      bench.release(...(side === 'peer' && peer === 'crane' ? ['--output', 'oci:.out'] : []));
      if (side === 'peer' && peer === 'docker')
        execFileSync(docker, ['tag', `bench-push:${version()}`, `${target}:${version()}`]);
    };
    return comparePairs({ ours: pushed(bench), peer: peers[peer], before, rounds: 5 });
  });
}

/** One changed file beside 100 MB that the registry has. */
export function benchPushChange(docker) {
  return inRelease(docker, (bench) => {
    const { dir, registry, version } = bench;
    const target = `${registry}/bench-peer`;
    const before = () => {
      writeClass(dir, randomBytes(8).toString('hex'));
      bench.release();
      execFileSync(docker, ['tag', `bench-push:${version()}`, `${target}:${version()}`]);
    };
    return comparePairs({
      ours: pushed(bench),
      peer: { file: docker, args: () => ['push', '--quiet', `${target}:${version()}`] },
      before,
      rounds: 7,
    });
  });
}

/** From one changed class to a version in the registry. */
export function benchRelease(docker) {
  return inRelease(docker, (bench) => {
    const { dir, own, registry } = bench;
    const target = `${registry}/bench-peer`;
    let turn = 0;
    const flags = ['--push', '--registry', registry, '--no-attest', '--quiet'];
    const build = `DOCKER_BUILDKIT=1 '${docker}' build --quiet --label org.opencontainers.image.title=bench-push --tag`;
    return comparePairs({
      ours: { file: node, args: () => [gbuild, 'image', '--release', `2.0.${turn}`, ...flags], cwd: dir, env: own },
      peer: {
        file: 'sh',
        args: () => ['-c', `${build} ${target}:${turn} . && '${docker}' push --quiet ${target}:${turn}`],
        cwd: dir,
      },
      before: () => {
        turn += 1;
        writeClass(dir, randomBytes(8).toString('hex'));
      },
      rounds: 7,
    });
  });
}

/** The same 100 MB through both. */
export function benchGzip() {
  const dir = mkdtempSync(join(tmpdir(), 'gbuild-bench-gzip-'));
  try {
    writeDependencies(dir);
    execFileSync('tar', ['-cf', 'layer.tar', 'dependencies'], { cwd: dir });
    return comparePairs({
      ours: { file: node, args: [compressor, 'layer.tar', 'ours.gz'], cwd: dir },
      peer: { file: 'gzip', args: ['-6', '--keep', '--force', 'layer.tar'], cwd: dir },
      rounds: 5,
    });
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}
