/** Where things stand inside a build container and a shipped image; fixed, so that outputs never depend on the host. */
export const containerPaths = {
  workspace: '/workspace',
  /** The top of the repository of a project below it, which is bound there as well: git tells it by its place. */
  repository: '/repository',
  home: '/home/gbuild',
  caches: '/cache',
  trustBundle: '/run/gbuild/trust.pem',
  extraRoots: '/run/gbuild/extra-roots.pem',
  secrets: '/run/secrets',
  /** The repository's own git folder, read-only: the workspace has a copy that takes its objects from there. */
  gitObjects: '/run/gbuild/git',
  /** The folder of the copy, where the workspace's `.git` is a file; `gitDir` is in it. */
  gitTop: '/run/gbuild/git-top',
  gitDir: '/run/gbuild/git-top/.git',
  shardFiles: '/run/gbuild/shard-files',
  application: '/app',
} as const;
