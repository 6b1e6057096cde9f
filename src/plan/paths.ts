/** Where things stand inside a build container and a shipped image; fixed, so that outputs never depend on the host. */
export const containerPaths = {
  workspace: '/workspace',
  home: '/home/gbuild',
  caches: '/cache',
  trustBundle: '/run/gbuild/trust.pem',
  extraRoots: '/run/gbuild/extra-roots.pem',
  secrets: '/run/secrets',
  shardFiles: '/run/gbuild/shard-files',
  application: '/app',
} as const;
