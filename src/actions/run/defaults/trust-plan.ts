import { containerPaths } from '../../../plan/container-paths.ts';
import { trustBundle as bundleOf, type HostTrust, trustKeystore } from '../../../toolchain/host/trust.ts';
import type { FixedFile } from './container-files.ts';

/**
 * Plans how the host's extra CA roots and proxies reach a run. The public roots with the extra ones become the system's
 * bundle and enter the image's Java keystores. Variables point other tools to them. Empty where the host has neither.
 */
export function planTrust(
  trust: HostTrust,
  keystores: readonly string[],
): { files: FixedFile[]; env: Record<string, string> } {
  if (trust.extraRoots === '') return { files: [], env: trust.proxies };
  const bundle = bundleOf(trust);
  const { trustBundle, extraRoots } = containerPaths;
  return {
    files: [
      { path: trustBundle, content: bundle },
      { path: '/etc/ssl/certs/ca-certificates.crt', content: bundle },
      { path: extraRoots, content: trust.extraRoots },
      ...keystores.map((path) => ({ path: `/${path}`, content: trustKeystore(trust) })),
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
