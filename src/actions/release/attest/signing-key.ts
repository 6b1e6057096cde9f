import { resolve } from 'node:path';
import { type PrivateKey, readPrivateKey } from '../../../attest/signature/key.ts';
import { GbuildError, messageOf } from '../../../errors.ts';
import { largestFile, readWhole } from '../../../fs/read-bounded.ts';
import type { Host } from '../../../host.ts';
import { readUserConfig } from '../../session/user-config.ts';

/** With what a release is signed, and who vouches for the machine. */
export interface Signing {
  key?: PrivateKey;
  builderId?: string;
  /** Sigstore bundles, too. */
  bundles?: boolean;
}

/**
 * The key that the command line names, GBUILD_SIGNING_KEY, or signing.key of config.yml; COSIGN_PASSWORD opens it. None is no
 * mistake: the release is not signed then. Throws `key-invalid`.
 */
export async function readSigning(host: Host, keyFile: string | undefined): Promise<Signing> {
  const { signing } = await readUserConfig(host);
  const file = keyFile ?? (host.env.GBUILD_SIGNING_KEY || signing.key);
  const builder = signing.builder === undefined ? {} : { builderId: signing.builder };
  if (file === undefined) return builder;
  const path = resolve(host.cwd, file);
  const password = host.env.COSIGN_PASSWORD;
  return {
    ...builder,
    bundles: signing.bundles ?? false,
    key: readPrivateKey(readKeyFile(path), { label: path, ...(password !== undefined && { password }) }),
  };
}

function readKeyFile(path: string): string {
  try {
    return readWhole(path, largestFile, { pipes: true }).toString();
  } catch (cause) {
    throw new GbuildError('key-invalid', `the key ${path} cannot be read: ${messageOf(cause)}`, {
      cause,
      suggestions: ['gbuild key generate', 'or name another one: --sign-key FILE'],
    });
  }
}
