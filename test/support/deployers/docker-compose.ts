import { join } from 'node:path';
import { execa } from 'execa';
import { installPackages, isInstalled } from '../engines/test-engine.ts';
import { ensureNewerPackage } from './newer-package.ts';

export type ComposeGeneration = 'machine' | 'trixie';

/**
 * Returns the folder of a docker-compose: that of the machine's own Debian (of bookworm the old one in Python), or that
 * of a newer suite.
 */
export async function ensureCompose(generation: ComposeGeneration): Promise<string> {
  if (generation === 'trixie')
    return join(await ensureNewerPackage('docker-compose'), 'usr/libexec/docker/cli-plugins');
  if (!isInstalled('docker-compose')) await installPackages(['docker-compose']);
  const { stdout } = await execa('sh', ['-c', 'command -v docker-compose']);
  return join(stdout, '..');
}
