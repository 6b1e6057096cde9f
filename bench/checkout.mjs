import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { comparePairs, env } from './pairs.mjs';
import { makeTree } from './tree.mjs';

const gbuild = fileURLToPath(new URL('../bin/run.js', import.meta.url));
const name = 'bench-checkout';

/**
 * A release of a folder that has an ignored file, which comes from a clean checkout, against one of a clean clone, which is packed as it
 * is. The same commit, 2,000 files and 100 MB; each round is a new release.
 */
export function benchCheckout() {
  const dir = mkdtempSync(join(tmpdir(), 'gbuild-bench-'));
  const [laptop, clone] = [join(dir, 'laptop'), join(dir, 'clone')];
  const git = (cwd, ...args) =>
    execFileSync('git', ['-c', 'user.name=bench', '-c', 'user.email=bench@example.com', ...args], { cwd });
  try {
    git(dir, 'init', '--quiet', laptop);
    makeTree(laptop, { files: 2000, bytes: 100e6 });
    writeFileSync(
      join(laptop, 'gbuild.yml'),
      `gbuild: 1\nname: ${name}\ntoolchain: node@^22\nimage:\n  entrypoint: [node, --version]\n  layers: [{ name: app, from: [app], to: /srv }]\n`,
    );
    writeFileSync(join(laptop, '.gitignore'), '*.log\n');
    execFileSync(process.execPath, [gbuild, 'lock'], { cwd: laptop, env, stdio: 'ignore' });
    git(laptop, 'add', '--all');
    git(laptop, 'commit', '--quiet', '--message', 'bench');
    git(dir, 'clone', '--quiet', laptop, clone);
    writeFileSync(join(laptop, 'debug.log'), '');
    const releaseIn = (cwd, line) => ({
      file: process.execPath,
      args: (round) => [gbuild, 'image', '--release', `${line}.${round + 1}.0`, '--quiet'],
      cwd,
      env: { XDG_DATA_HOME: join(dir, 'data') },
    });
    return comparePairs({ ours: releaseIn(laptop, 1), peer: releaseIn(clone, 2), rounds: 7 });
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}
