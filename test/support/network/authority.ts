import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { timeStepSync } from '../runner/timings.ts';

/** Certificate and its key, as files. */
export interface Issued {
  certFile: string;
  keyFile: string;
}

/** Root of the tests that signs certificates. */
export interface Authority {
  rootFile: string;
  /** Issues a certificate; `names` are in openssl's form: `DNS:localhost`, `IP:127.0.0.1`. */
  issue(name: string, names: string[], options?: { days?: number; usage?: 'serverAuth' | 'clientAuth' }): Issued;
}

/** Reads a certificate for Node's TLS servers. */
export function readIssued({ certFile, keyFile }: Issued): { cert: Buffer; key: Buffer } {
  return { cert: readFileSync(certFile), key: readFileSync(keyFile) };
}

const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];

/** Makes a root in a folder; the subject identifies its certificates. */
export function makeAuthority(hostDir: string, subject = '/CN=gbuild test company'): Authority {
  mkdirSync(hostDir, { recursive: true });
  const [root, key] = [join(hostDir, 'root.pem'), join(hostDir, 'root.key')];
  const uses = ['-addext', 'basicConstraints=critical,CA:TRUE', '-addext', 'keyUsage=keyCertSign'];
  timeStepSync(`make the certificates of ${subject}`, () =>
    openssl('req', ...newKey, '-x509', '-days', '2', '-subj', subject, '-out', root, '-keyout', key, ...uses),
  );
  return openAuthority(hostDir, root, key);
}

/** Opens an existing authority; it writes its certificates to the folder. */
export function openAuthority(hostDir: string, rootFile: string, rootKeyFile: string): Authority {
  const file = (name: string) => join(hostDir, name);
  return {
    rootFile,
    issue: (name, names, { days = 2, usage = 'serverAuth' } = {}) => {
      const [certFile, keyFile] = [file(`${name}.pem`), file(`${name}.key`)];
      openssl('req', ...newKey, '-subj', `/CN=${name}`, '-out', file(`${name}.csr`), '-keyout', keyFile);
      writeFileSync(file(`${name}.ext`), `subjectAltName=${names.join(',')}\nextendedKeyUsage=${usage}\n`);
      const signing = [
        '-CA',
        rootFile,
        '-CAkey',
        rootKeyFile,
        '-set_serial',
        String(Date.now()),
        '-days',
        String(days),
      ];
      openssl(
        ...['x509', '-req', '-in', file(`${name}.csr`), ...signing],
        ...['-extfile', file(`${name}.ext`), '-out', certFile],
      );
      return { certFile, keyFile };
    },
  };
}

function openssl(...args: string[]): void {
  execFileSync('openssl', args, { stdio: 'ignore' });
}
