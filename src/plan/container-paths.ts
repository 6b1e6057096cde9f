/** Paths inside a build container and a released image; fixed, so that outputs never depend on the host. */
export const containerPaths = {
  workspace: '/workspace',
  /** Top of the repository of a project below it, bound there as well: git finds it by its path. */
  repository: '/repository',
  home: '/home/gbuild',
  caches: '/cache',
  trustBundle: '/run/gbuild/trust.pem',
  extraRoots: '/run/gbuild/extra-roots.pem',
  secrets: '/run/secrets',
  /** Git folder of the repository, read-only: the workspace's copy takes its objects from there. */
  gitObjects: '/run/gbuild/git',
  /** Folder of the copy, where the workspace's `.git` is a file; `gitDir` is in it. */
  gitTop: '/run/gbuild/git-top',
  gitDir: '/run/gbuild/git-top/.git',
  shardFiles: '/run/gbuild/shard-files',
  application: '/app',
} as const;
