/**
 * Packing and hashing a workspace, as gbuild does it and as GNU tar into openssl does it, on the same tree in one run; and
 * how much memory packing a 4 GB tree takes. `node bench/pack.mjs` prints it; bench/run.mjs calls `benchPack`.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';

const files = 100_000;
const bytesPerFile = 4_380;

/** Median seconds of both sides over `rounds` turns taken alternately after a warm-up, their ratio, and the peak RSS in MB. */
export function benchPack({ rounds = 5 } = {}) {
  const dir = mkdtempSync(join(tmpdir(), 'gbuild-bench-pack-'));
  try {
    const program = bundle(dir);
    const packInChild = (tree) =>
      JSON.parse(execFileSync(process.execPath, [program, tree], { encoding: 'utf8', env: childEnv() }));
    const small = join(dir, 'small');
    makeSmallFiles(small);
    const gbuildTimes = [];
    const tarTimes = [];
    for (let round = -1; round < rounds; round++) {
      const ours = time(() => packInChild(small));
      const theirs = time(() =>
        execFileSync('sh', ['-c', 'tar --sort=name -cf - . | openssl dgst -sha256'], { cwd: small }),
      );
      if (round < 0) continue;
      gbuildTimes.push(ours);
      tarTimes.push(theirs);
    }
    const gbuild = median(gbuildTimes);
    const tar = median(tarTimes);
    const smallRssMB = packInChild(small).rssMB;
    const large = join(dir, 'large');
    makeLargeFiles(large);
    const { rssMB } = packInChild(large);
    return { files, bytes: files * bytesPerFile, gbuild, tar, ratio: gbuild / tar, rssMB, smallRssMB };
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

function makeSmallFiles(root) {
  for (let folder = 0; folder < 1000; folder++) {
    const dir = join(root, `package-${folder % 40}`, `folder-${folder}`);
    mkdirSync(dir, { recursive: true });
    for (let i = 0; i < files / 1000; i++) {
      writeFileSync(join(dir, `file-${i}.js`), Buffer.alloc(bytesPerFile, `${folder} ${i} some text `));
    }
  }
}

/** 4 GB that take no room on the disk. */
function makeLargeFiles(root) {
  mkdirSync(root);
  for (let i = 0; i < 4; i++) {
    writeFileSync(join(root, `file-${i}`), '');
    truncateSync(join(root, `file-${i}`), 1e9);
  }
}

/** One plain file, as gbuild is shipped: stripping types at each start is no part of the work. */
function bundle(dir) {
  const program = join(dir, 'pack.mjs');
  const contents = `
    import { packLayer } from './src/oci/layer/layer.ts';
    import { walkFiles } from './src/workspace/walk.ts';
    const { diffId } = packLayer(walkFiles(process.argv[2], { from: ['.'] }), { createdBy: 'bench' });
    console.log(JSON.stringify({ diffId, rssMB: Math.round(process.resourceUsage().maxRSS / 1024) }));`;
  const banner = { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" };
  const stdin = { contents, resolveDir: fileURLToPath(new URL('..', import.meta.url)) };
  buildSync({ stdin, banner, bundle: true, platform: 'node', format: 'esm', outfile: program, logLevel: 'error' });
  return program;
}

/** NODE_EXTRA_CA_CERTS slows a start down and has nothing to do with packing. */
function childEnv() {
  const { NODE_EXTRA_CA_CERTS: _, ...env } = process.env;
  return env;
}

function time(work) {
  const start = performance.now();
  work();
  return (performance.now() - start) / 1000;
}

function median(values) {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { gbuild, tar, ratio, rssMB, smallRssMB } = benchPack();
  console.log(`pack and hash ${files} files, ${Math.round((files * bytesPerFile) / 1e6)} MB`);
  console.log(
    `  gbuild ${gbuild.toFixed(2)} s, tar | openssl ${tar.toFixed(2)} s: ${ratio.toFixed(2)}x (bar 1.3x); RSS ${smallRssMB} MB`,
  );
  console.log(`pack and hash 4 GB: RSS ${rssMB} MB (bar 200 MB)`);
}
