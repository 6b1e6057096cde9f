import { rootCertificates } from 'node:tls';
import type { ContainerFile } from '../engine/container-spec.ts';
import { containerPaths } from '../plan/paths.ts';
import type { HostTrust } from '../toolchain/trust.ts';

/**
 * What carries the host's extra CA roots and proxies into a run: the public roots with the extra ones as the system's
 * bundle, and variables for the tools that look elsewhere. Nothing where the host has neither.
 */
export function planTrust(trust: HostTrust): { files: ContainerFile[]; env: Record<string, string> } {
  if (trust.extraRoots === '') return { files: [], env: trust.proxies };
  const bundle = Buffer.from(`${rootCertificates.join('\n')}\n${trust.extraRoots}`);
  const file = (path: string, content: Buffer): ContainerFile => ({
    path,
    type: 'file',
    mode: 0o644,
    uid: 0,
    gid: 0,
    content,
  });
  const { trustBundle, extraRoots } = containerPaths;
  return {
    files: [
      file(trustBundle, bundle),
      file('/etc/ssl/certs/ca-certificates.crt', bundle),
      file(extraRoots, Buffer.from(trust.extraRoots)),
    ],
    env: {
      SSL_CERT_FILE: trustBundle,
      CURL_CA_BUNDLE: trustBundle,
      GIT_SSL_CAINFO: trustBundle,
      REQUESTS_CA_BUNDLE: trustBundle,
      PIP_CERT: trustBundle,
      NODE_EXTRA_CA_CERTS: extraRoots,
      ...trust.proxies,
    },
  };
}
