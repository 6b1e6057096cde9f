import { posix } from 'node:path';

/** Names of tools' settings that may hold tokens or passwords, in any folder. */
const names = new Set([
  '.npmrc',
  '.pnpmrc',
  '.yarnrc',
  '.yarnrc.yml',
  '.netrc',
  '_netrc',
  '.pypirc',
  '.pgpass',
  '.my.cnf',
  '.git-credentials',
  '.credentials',
  '.dockercfg',
  '.vault-token',
  '.terraformrc',
  '.s3cfg',
  '.boto',
]);

/** Settings whose folder is part of the name. */
const places = [
  '.bundle/config',
  '.gem/credentials',
  '.m2/settings.xml',
  '.m2/settings-security.xml',
  '.docker/config.json',
  '.cargo/credentials',
  '.cargo/credentials.toml',
  '.aws/credentials',
  '.kube/config',
  'config/master.key',
];

const patterns = [/^\.env(?:rc|[._-].*)?$/, /^id_(?:rsa|dsa|ecdsa|ed25519)(?:_sk)?$/];

/** Whether a file or folder may hold credentials, by its path in the workspace. Its content is not read. */
export function mayHoldCredentials(path: string): boolean {
  const name = posix.basename(path);
  if (names.has(name) || patterns.some((pattern) => pattern.test(name))) return true;
  if (/(?:^|\/)config\/credentials\/[^/]+\.key$/.test(path)) return true;
  return places.some((place) => path === place || path.endsWith(`/${place}`));
}
