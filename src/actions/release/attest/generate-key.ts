import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { GbuildError } from '../../../errors.ts';
import type { Host } from '../../../host.ts';

/** Implements `gbuild key generate`: writes both files or neither, and never overwrites. */
export async function generateKey(host: Host, name: string): Promise<{ privateFile: string; publicFile: string }> {
  const path = resolve(host.cwd, name);
  const files = { privateFile: `${path}.key`, publicFile: `${path}.pub` };
  for (const file of Object.values(files)) if (existsSync(file)) throw isThere(file);
  const password = host.env.COSIGN_PASSWORD;
  if (password === undefined)
    throw new GbuildError('usage', 'COSIGN_PASSWORD is not set: it protects the private key', {
      suggestions: ['read -rs COSIGN_PASSWORD && export COSIGN_PASSWORD && gbuild key generate'],
    });
  const { generateKeyPair } = await import('../../../attest/signature/cosign-key.ts');
  const { privatePem, publicPem } = generateKeyPair(password);
  mkdirSync(dirname(path), { recursive: true });
  write(files.privateFile, privatePem, 0o600);
  try {
    write(files.publicFile, publicPem, 0o644);
  } catch (cause) {
    rmSync(files.privateFile, { force: true });
    throw cause;
  }
  return files;
}

function write(file: string, text: string, mode: number): void {
  try {
    writeFileSync(file, text, { mode, flag: 'wx' });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'EEXIST') throw isThere(file);
    throw cause;
  }
}

function isThere(file: string): GbuildError {
  return new GbuildError('output-refused', `${file} exists already; nothing was written`, {
    suggestions: ['gbuild key generate another-name'],
    facts: { file },
  });
}
