import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { installPackages } from '../engines/test-engine.ts';
import { testCacheDir } from '../runner/cache-dir.ts';
import { makeOnce, runToEnd } from '../runner/make-once.ts';

/**
 * Makes an environment of Python with these packages in the tests' cache, once. Returns its python. Its scripts do not
 * run, because the folder was renamed: start modules.
 */
export async function ensurePython(name: string, packages: readonly string[]): Promise<string> {
  const dir = join(testCacheDir, name);
  await makeOnce(dir, `install ${packages.join(' ')}`, async (temporary) => {
    // Debian's python3 has no ensurepip without python3-venv.
    const makeVenv = () => runToEnd('/usr/bin/python3', ['-m', 'venv', temporary]);
    await makeVenv().catch(async () => {
      await installPackages(['python3', 'python3-venv']);
      await makeVenv();
    });
    await runToEnd(join(temporary, 'bin/python3'), ['-m', 'pip', 'install', '--quiet', ...packages]);
  });
  return join(dir, 'bin/python3');
}

/** Writes a program into a folder of PATH that starts a module of an environment. */
export function linkModule(binDir: string, program: string, python: string, module: string): void {
  const file = join(binDir, program);
  writeFileSync(file, `#!/bin/sh\nexec '${python}' -m ${module} "$@"\n`);
  chmodSync(file, 0o755);
}
