import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import tls, { type SecureContext } from 'node:tls';
import { GbuildError, messageOf } from '../../errors.ts';
import { largestSettings, readWhole } from '../../fs/read-bounded.ts';
import type { Host } from '../../host.ts';
import type { RegistryAddress } from './address.ts';

/** TLS settings for one registry; `undefined` means Node's own roots. */
export interface RegistryTls {
  /** Context for the registry itself: with the client's certificate where there is one. */
  own: SecureContext | undefined;
  /** Context for hosts that the registry names: the same roots, without the client's certificate. */
  others: SecureContext | undefined;
}

/**
 * Lists the folders in which docker looks for `HOST/*.crt` (roots) and `HOST/*.cert` with `*.key` (the client's own).
 */
export function certificateFolders({ homeDir }: Pick<Host, 'homeDir'>): string[] {
  return ['/etc/docker/certs.d', join(homeDir, '.config/docker/certs.d')];
}

/**
 * Reads the certificates for a registry. Throws `config-invalid` for a certificate without its key, and for an invalid
 * one.
 */
export function readRegistryTls(
  address: RegistryAddress,
  host: Pick<Host, 'homeDir'>,
  extraRoots: string,
): RegistryTls {
  const folders = certificateFolders(host).map((folder) => join(folder, address.name));
  const files = folders.flatMap(listFiles);
  const roots = files.filter((file) => file.endsWith('.crt')).map(readPem);
  const pair = files.filter((file) => file.endsWith('.cert')).map((file) => readPair(file))[0];
  if (roots.length === 0 && pair === undefined && extraRoots === '') return { own: undefined, others: undefined };
  const ca = [...tls.rootCertificates, ...(extraRoots === '' ? [] : [extraRoots]), ...roots];
  try {
    const others = tls.createSecureContext({ ca });
    return { own: pair === undefined ? others : tls.createSecureContext({ ca, ...pair }), others };
  } catch (cause) {
    throw unusable(folders.join(' or '), messageOf(cause), cause);
  }
}

function readPair(certFile: string): { cert: string; key: string } {
  return { cert: readPem(certFile), key: readPem(certFile.replace(/\.cert$/, '.key')) };
}

function readPem(file: string): string {
  try {
    return readWhole(file, largestSettings).toString();
  } catch (cause) {
    throw unusable(file, messageOf(cause), cause);
  }
}

function listFiles(folder: string): string[] {
  try {
    return readdirSync(folder)
      .sort()
      .map((name) => join(folder, name));
  } catch {
    return [];
  }
}

function unusable(file: string, why: string, cause: unknown): GbuildError {
  return new GbuildError('config-invalid', `cannot use the registry's TLS files ${file}: ${why}`, {
    suggestions: [`ls -l ${file}`],
    cause,
  });
}
