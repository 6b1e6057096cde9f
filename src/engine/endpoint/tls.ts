import { join } from 'node:path';
import { GbuildError, messageOf } from '../../errors.ts';
import { largestSettings, readWhole } from '../../fs/read-bounded.ts';

/** Settings of a TLS connection to an engine; without `verify` any server certificate is accepted. */
export interface EngineTls {
  ca?: Buffer;
  cert?: Buffer;
  key?: Buffer;
  verify: boolean;
  /** Folder that the files came from, for child processes (DOCKER_CERT_PATH). */
  directory?: string;
}

/**
 * Reads ca.pem, cert.pem and key.pem of a folder, each where it exists. Errors are: a certificate without its key or
 * the reverse, an unreadable file, and a folder named by a variable that has none of them.
 */
export function readTlsFolder(directory: string, verify: boolean, origin: { named?: string | undefined }): EngineTls {
  const ca = readPem(directory, 'ca.pem');
  const cert = readPem(directory, 'cert.pem');
  const key = readPem(directory, 'key.pem');
  if ((cert === undefined) !== (key === undefined)) {
    const [there, missing] = cert === undefined ? ['key.pem', 'cert.pem'] : ['cert.pem', 'key.pem'];
    throw unreadable(join(directory, missing), `it is missing, but ${join(directory, there)} is there`);
  }
  if (origin.named !== undefined && ca === undefined && cert === undefined)
    throw unreadable(join(directory, 'ca.pem'), `no certificates are in the folder that ${origin.named} names`);
  return { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }), verify, directory };
}

function readPem(directory: string, name: string): Buffer | undefined {
  const file = join(directory, name);
  try {
    return readWhole(file, largestSettings);
  } catch (thrown) {
    const code = (thrown as NodeJS.ErrnoException).code;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw unreadable(file, messageOf(thrown), thrown);
  }
}

function unreadable(file: string, why: string, cause?: unknown): GbuildError {
  return new GbuildError('usage', `cannot read the engine's TLS file ${file}: ${why}`, {
    suggestions: [`ls -l ${file}`, 'unset DOCKER_TLS_VERIFY DOCKER_CERT_PATH   # if the engine does not speak TLS'],
    cause,
    facts: { file },
  });
}
