import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { parseSources } from '../../../src/toolchain/build/apt-setup.ts';
import { testCacheDir } from '../runner/cache-dir.ts';
import { makeOnce, runToEnd } from '../runner/make-once.ts';

const suite = 'trixie';

/** Extracts a package of a suite that this machine has no sources of, once. Returns the folder that has its files. */
export function ensureNewerPackage(name: string): Promise<string> {
  return makeOnce(join(testCacheDir, `${name}-${suite}`), `fetch ${name} of ${suite}`, async (temporary) => {
    const aptDir = `${temporary}.apt`;
    for (const path of ['lists/partial', 'cache/archives/partial', 'deb'])
      mkdirSync(join(aptDir, path), { recursive: true });
    try {
      writeFileSync(join(aptDir, 'sources.list'), `${(await readSources()).join('\n')}\n`);
      const places = {
        'Dir::Etc::sourcelist': join(aptDir, 'sources.list'),
        'Dir::Etc::sourceparts': '-',
        'Dir::State::lists': join(aptDir, 'lists'),
        'Dir::Cache': join(aptDir, 'cache'),
      };
      const options = Object.entries(places).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
      const cwd = join(aptDir, 'deb');
      await runToEnd('apt-get', [...options, 'update', '-q'], { cwd });
      await runToEnd('apt-get', [...options, 'download', '-q', `${name}/${suite}`], { cwd });
      const [packed = 'nothing'] = readdirSync(cwd);
      await runToEnd('dpkg', ['-x', packed, temporary], { cwd });
    } finally {
      rmSync(aptDir, { recursive: true, force: true });
    }
  });
}

/** Reads the suite on the machine's own mirrors from its apt. */
async function readSources(): Promise<string[]> {
  const format = ['ORIGIN', 'RELEASE', 'COMPONENT', 'REPO_URI', 'CREATED_BY'].map((name) => `$(${name})`).join('|');
  const { stdout } = await execa('apt-get', ['indextargets', '--format', format]);
  return parseSources(stdout, suite);
}
