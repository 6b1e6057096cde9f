import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { installPackages, isInstalled } from '../engines/test-engine.ts';
import { testCacheDir } from '../runner/cache-dir.ts';
import { makeOnce, runToEnd } from '../runner/make-once.ts';

/** Builds a program from its Go module at an exact version, once. Returns its file. */
async function ensureGoProgram(name: string, modulePath: string, version: string): Promise<string> {
  const dir = join(testCacheDir, `${name}-${version}`);
  await makeOnce(dir, `build ${name} ${version}`, async (temporary) => {
    if (!isInstalled('go')) await installPackages(['golang-go']);
    mkdirSync(temporary, { recursive: true });
    await runToEnd('go', ['install', `${modulePath}@${version}`], { env: { GOBIN: temporary } });
  });
  return join(dir, name);
}

/** Builds helm. */
export function ensureHelm(): Promise<string> {
  return ensureGoProgram('helm', 'helm.sh/helm/v3/cmd/helm', 'v3.22.0');
}

/** Installs the judge of manifests that has the schemas of Kubernetes inside, once. Returns its command. */
export async function ensureKubernetesValidate(): Promise<[string, ...string[]]> {
  const version = '1.37.0';
  const dir = join(testCacheDir, `kubernetes-validate-${version}`);
  await makeOnce(dir, `install kubernetes-validate ${version}`, async (temporary) => {
    // Debian's python3 has no ensurepip without python3-venv.
    const makeVenv = () => runToEnd('/usr/bin/python3', ['-m', 'venv', temporary]);
    await makeVenv().catch(async () => {
      await installPackages(['python3', 'python3-venv']);
      await makeVenv();
    });
    const wanted = `kubernetes-validate==${version}`;
    await runToEnd(join(temporary, 'bin/python3'), ['-m', 'pip', 'install', '--quiet', wanted]);
  });
  // The script's first line names the folder that it was installed to.
  return [join(dir, 'bin/python3'), join(dir, 'bin/kubernetes-validate'), '--strict'];
}
