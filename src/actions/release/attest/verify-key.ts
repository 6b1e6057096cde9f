import { resolve } from 'node:path';
import { type PublicKey, readPublicKey } from '../../../attest/signature/key.ts';
import { GbuildError, messageOf } from '../../../errors.ts';
import { largestFile, readWhole } from '../../../fs/read-bounded.ts';
import type { Host } from '../../../host.ts';

/** Reads the public key of `--key`; undefined without one. Throws `key-invalid`. */
export function readVerifyKey({ cwd }: Host, keyFile: string | undefined): PublicKey | undefined {
  return keyFile === undefined ? undefined : readPublicKey(readText(resolve(cwd, keyFile)), { label: keyFile });
}

function readText(file: string): string {
  try {
    return readWhole(file, largestFile, { pipes: true }).toString();
  } catch (cause) {
    throw new GbuildError('key-invalid', `the key ${file} cannot be read: ${messageOf(cause)}`, { cause });
  }
}
