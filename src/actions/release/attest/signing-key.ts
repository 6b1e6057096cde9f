import { resolve } from 'node:path';
import { type PrivateKey, readPrivateKey } from '../../../attest/signature/key.ts';
import { GbuildError, messageOf } from '../../../errors.ts';
import { largestFile, readWhole } from '../../../fs/read-bounded.ts';
import type { Host } from '../../../host.ts';
import { readUserConfig } from '../../session/user-config.ts';

/** Key that signs a release, and the builder id that its provenance names. */
export interface Signing {
  key?: PrivateKey;
  builderId?: string;
  /** Whether to write Sigstore bundles too. */
  bundles?: boolean;
}

/**
 * Reads the signing key: from the command line, GBUILD_SIGNING_KEY, or signing.key of config.yml. COSIGN_PASSWORD
 * decrypts it. Without a key the release is not signed. Throws `key-invalid`.
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
