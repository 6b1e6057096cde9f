import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { benchRollback } from './channel.mjs';
import { benchCheckout } from './checkout.mjs';
import { benchDeliver } from './deliver.mjs';
import { benchPack } from './pack.mjs';
import { comparePairs, env } from './pairs.mjs';
import { benchGzip, benchPushChange, benchPushLarge, benchRelease } from './push.mjs';
import { benchChangedSync, benchFirstSync, benchRemoteRun, benchSyncMemory } from './sync.mjs';
import { benchClassImage, benchFirstTest, benchToolchain } from './toolchains.mjs';
import { makeTree } from './tree.mjs';

const gbuild = fileURLToPath(new URL('../bin/run.js', import.meta.url));
const node = process.execPath;

/** The docker client whose `build` can use BuildKit: docker.io's own, where a newer one without buildx comes first. */
const docker = ['/usr/bin/docker', 'docker'].find((file) => {
  try {
    execFileSync(file, ['version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
});

/** name, what the table calls it, the bar it is held to, and how it is measured. */
export const benchmarks = [
  { name: 'run', title: '`gbuild test` of `true` against `docker run --rm -v`', bar: 1.35, run: benchRun },
  { name: 'version', title: '`gbuild --version` against `node -e 0`', bar: 1.5, run: () => benchStart(['--version']) },
  {
    name: 'help',
    title: '`gbuild test --help` against `node -e 0`',
    bar: 2.5,
    run: () => benchStart(['test', '--help']),
  },
  {
    name: 'pack',
    title: 'packing and hashing 100,000 files, 438 MB, against GNU tar into openssl',
    bar: 1.3,
    run: benchPacking,
  },
  { name: 'memory', title: 'RSS while packing a 4 GB tree', bar: 200, run: benchMemory },
  {
    name: 'image-uniform',
    title: '`gbuild image --no-build` after one changed file of 2,000, 100 MB, against a warm `docker build`',
    bar: 0.6,
    run: () => benchImage({ files: 2000, bytes: 100e6 }),
  },
  {
    name: 'image-code',
    title: 'the same where the change is in code beside large unchanged assets',
    bar: 0.33,
    run: () => benchImage({ files: 2000, bytes: 100e6, assets: true }),
  },
  {
    name: 'image-large',
    title: 'the same with 100,000 files, 438 MB',
    bar: 0.2,
    run: () => benchImage({ files: 100_000, bytes: 438e6, rounds: 3 }),
  },
  {
    name: 'sbt-first',
    title: '`gbuild test` of a fresh sbt checkout against `docker run ... sbt test` of the same',
    bar: 1.1,
    run: () => benchFirstTest(docker),
  },
  {
    name: 'jvm-image',
    title: "`gbuild image --no-build` after one changed class against jib's `dockerBuild` alone",
    bar: 0.2,
    run: benchClassImage,
  },
  {
    name: 'toolchain',
    title: 'both images of Node from nothing against a plain `docker build` of the same Dockerfile',
    bar: 1.3,
    run: () => benchToolchain(docker),
  },
  {
    name: 'push-crane',
    title: '`gbuild push` of a new layer of 100 MB, compressed, against `crane push` of the layout as it is',
    bar: 1.2,
    run: () => benchPushLarge(docker, 'crane'),
  },
  {
    name: 'push-docker',
    title: 'the same against `docker push`',
    bar: 0.4,
    run: () => benchPushLarge(docker, 'docker'),
  },
  {
    name: 'push-change',
    title: '`gbuild push` after one changed file against `docker push`',
    bar: 2,
    run: () => benchPushChange(docker),
  },
  {
    name: 'release',
    title:
      '`gbuild image --release --push` after one changed class beside 100 MB against `docker build` and `docker push`',
    bar: 0.5,
    run: () => benchRelease(docker),
  },
  {
    name: 'rollback',
    title: '`gbuild channel rollback` against `crane tag`',
    bar: 3,
    run: benchRollback,
  },
  {
    name: 'deliver',
    title: '`gbuild deliver nova` of an image of 300 MB against `docker save` into `gzip -1`',
    bar: 1,
    run: () => benchDeliver(docker),
  },
  {
    name: 'checkout',
    title:
      '`gbuild image --release` of a folder with ignored files, from a clean checkout, against one of a clean clone',
    bar: 2,
    run: benchCheckoutHere,
  },
  {
    name: 'remote',
    title: '`gbuild test` of `true` on an engine elsewhere against `docker run` there',
    bar: 2,
    run: () => benchRemoteRun(docker),
  },
  {
    name: 'sync-first',
    title: 'the same with 20,000 files, 88 MB, sent for the first time, against `tar | docker cp` of them',
    bar: 1.2,
    run: () => benchFirstSync(docker, { files: 20_000, bytes: 88e6, rounds: 3 }),
  },
  {
    name: 'sync-change',
    title: 'the same over ssh after one file of 100,000, 438 MB, has changed, against `rsync -a` over ssh',
    bar: 0.8,
    run: () => benchChangedSync(docker, { files: 100_000, bytes: 438e6, rounds: 5, isWhole: true }),
  },
  {
    name: 'resync',
    title: 'what that takes longer than with a workspace of one file, against `rsync -a` over ssh',
    bar: 0.8,
    run: () => benchChangedSync(docker, { files: 100_000, bytes: 438e6, rounds: 7, isWhole: false }),
  },
  {
    name: 'sync-memory',
    title: 'RSS of a run after one file of 100,000 has changed against that with a workspace of one file',
    bar: 2,
    run: () => benchSyncMemory(docker, { files: 100_000, bytes: 438e6 }),
  },
  {
    name: 'gzip',
    title: 'compressing 100 MB against `gzip -6` (1.5 times as fast is 0.67x)',
    bar: 0.67,
    run: benchGzip,
  },
];

function benchStart(args) {
  return comparePairs({
    ours: { file: node, args: [gbuild, ...args] },
    peer: { file: node, args: ['-e', '0'] },
    rounds: 31,
  });
}

/** A task that does nothing, the toolchain there: what is left is our own work. */
function benchRun() {
  return inRepository((dir) => {
    writeFileSync(join(dir, 'gbuild.yml'), 'gbuild: 1\nname: bench-run\ntoolchain: node@^22\ntasks:\n  test: "true"\n');
    execFileSync(node, [gbuild, 'test'], { cwd: dir, env, stdio: 'ignore' });
    const image = lockedImage(dir);
    const user = `${process.getuid()}:${process.getgid()}`;
    const args = ['run', '--rm', '-v', `${dir}:/workspace`, '-w', '/workspace', '-u', user, image, 'true'];
    return comparePairs({
      ours: { file: node, args: [gbuild, 'test', '--quiet'], cwd: dir },
      peer: { file: docker, args, cwd: dir },
      rounds: 15,
    });
  });
}

function lockedImage(dir) {
  const plan = execFileSync(node, [gbuild, 'plan', '--json'], { cwd: dir, env, encoding: 'utf8' });
  return JSON.parse(plan).toolchain.reference;
}

let packed;
function benchPacking() {
  packed ??= benchPack();
  return { ours: packed.gbuild, peer: packed.tar, value: packed.ratio, unit: 'ratio' };
}

function benchMemory() {
  packed ??= benchPack();
  return { value: Math.max(packed.rssMB, packed.smallRssMB), unit: 'MB' };
}

/**
 * The same files, the same COPY: one file changes before each turn, another one each time, in steps through the whole
 * tree, so that no lucky layer is hit. Both sides' images and caches are warm.
 */
function benchImage({ files, bytes, assets = false, rounds = 9 }) {
  return inRepository((dir) => {
    const tree = makeTree(dir, { files, bytes, assets });
    writeFileSync(join(dir, '.dockerignore'), 'gbuild.yml\ngbuild.lock\nDockerfile\n.git\n');
    writeFileSync(
      join(dir, 'gbuild.yml'),
      'gbuild: 1\nname: bench-image\ntoolchain: node@^22\nimage:\n  entrypoint: [node, --version]\n  layers:\n    - name: app\n      from: [app]\n      to: /srv\n',
    );
    execFileSync(node, [gbuild, 'lock'], { cwd: dir, env, stdio: 'ignore' });
    const base = JSON.parse(
      execFileSync(node, [gbuild, 'plan', 'image', '--json'], { cwd: dir, env, encoding: 'utf8' }),
    ).base;
    writeFileSync(join(dir, 'Dockerfile'), `FROM ${base}\nCOPY app /srv/app\nENTRYPOINT ["node", "--version"]\n`);
    let turn = 0;
    // New in every run: BuildKit remembers every tree that it has ever seen, those of earlier runs too.
    const nonce = randomBytes(8).toString('hex');
    const change = () => {
      const file = tree.changeable[(turn++ * 37) % tree.changeable.length];
      const content = readFileSync(file);
      content.write(`${nonce} ${turn} `.padStart(28), 0);
      writeFileSync(file, content);
    };
    try {
      return comparePairs({
        ours: { file: node, args: [gbuild, 'image', '--no-build', '--quiet'], cwd: dir },
        peer: {
          file: docker,
          args: ['build', '--quiet', '--label', 'bench=bench-image', '--tag', 'bench-image:docker', '.'],
          cwd: dir,
          env: { DOCKER_BUILDKIT: '1' },
        },
        before: change,
        rounds,
      });
    } finally {
      removeImages('bench-image');
    }
  });
}

function benchCheckoutHere() {
  try {
    return benchCheckout();
  } finally {
    removeImages('bench-checkout');
  }
}

/** The tagged ones and those whose tag moved on. */
function removeImages(repository) {
  const labels = [`org.opencontainers.image.title=${repository}`, `bench=${repository}`];
  for (const label of labels) {
    const ids = execFileSync(docker, ['images', '--quiet', '--filter', `label=${label}`], { encoding: 'utf8' });
    const unique = new Set(ids.split('\n').filter(Boolean));
    if (unique.size > 0) execFileSync(docker, ['rmi', '--force', ...unique], { stdio: 'ignore' });
  }
}

function inRepository(work) {
  const dir = mkdtempSync(join(tmpdir(), 'gbuild-bench-'));
  try {
    mkdirSync(join(dir, 'app'));
    execFileSync('git', ['init', '--quiet'], { cwd: dir });
    return work(dir);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}
