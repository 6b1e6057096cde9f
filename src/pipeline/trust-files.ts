import { rootCertificates } from 'node:tls';
import { containerPaths } from '../plan/paths.ts';
import type { HostTrust } from '../toolchain/trust.ts';
import type { FixedFile } from './fixed-files.ts';

/**
 * What carries the host's extra CA roots and proxies into a run: the public roots with the extra ones as the system's
 * bundle, and variables for the tools that look elsewhere. Nothing where the host has neither.
 */
export function planTrust(trust: HostTrust): { files: FixedFile[]; env: Record<string, string> } {
  if (trust.extraRoots === '') return { files: [], env: trust.proxies };
  const bundle = `${rootCertificates.join('\n')}\n${trust.extraRoots}`;
  const { trustBundle, extraRoots } = containerPaths;
  return {
    files: [
      { path: trustBundle, text: bundle },
      { path: '/etc/ssl/certs/ca-certificates.crt', text: bundle },
      { path: extraRoots, text: trust.extraRoots },
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
