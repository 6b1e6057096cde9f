import type { EngineInfo } from '../../../engine/info.ts';
import type { Host } from '../../../host.ts';
import { containerPaths } from '../../../plan/container-paths.ts';
import type { FixedFile } from './container-files.ts';

/** User that a task runs as, so that the files it writes to the workspace belong to the caller. */
export interface Identity {
  uid: number;
  gid: number;
  userName: string;
  /** Set where the engine maps users of containers and must not map them for this one. */
  usernsMode?: string;
}

/**
 * Chooses the caller's own ids. For a rootless engine it is the container's root, which such an engine maps to the
 * caller. An engine with userns-remap is asked not to remap.
 */
export function chooseIdentity(host: Host, info: EngineInfo): Identity {
  if (info.rootless) return { uid: 0, gid: 0, userName: 'root' };
  return {
    uid: host.uid,
    gid: host.gid,
    userName: host.uid === 0 ? 'root' : host.userName,
    ...(info.usernsRemap && { usernsMode: 'host' }),
  };
}

/**
 * Returns the capabilities. Root keeps those for installing packages and writing into foreign folders; other users keep
 * none.
 */
export function capabilitiesOf(identity: Identity): string[] {
  return identity.uid === 0 ? ['CHOWN', 'DAC_OVERRIDE', 'FOWNER', 'FSETID', 'KILL', 'SETGID', 'SETUID'] : [];
}

/**
 * Adds the caller to the image's user tables. Root is in every image's tables already, and must stay able to add users.
 * `passwd` and `group` are the image's own files.
 */
export function planUserTables(identity: Identity, image: { passwd: string; group: string }): FixedFile[] {
  const { uid, gid } = identity;
  if (uid === 0) return [];
  const files = [{ path: '/etc/passwd', content: addPasswdEntry(image.passwd, identity) }];
  if (!hasId(image.group, gid)) files.push({ path: '/etc/group', content: `${ended(image.group)}gbuild:x:${gid}:\n` });
  return files;
}

/**
 * Variables that let git work in a workspace of any owner. Variables leave the files of the caller's home untouched.
 */
export const trustedWorkspace: Record<string, string> = {
  GIT_CONFIG_COUNT: '1',
  GIT_CONFIG_KEY_0: 'safe.directory',
  GIT_CONFIG_VALUE_0: '*',
};

/**
 * Puts the caller's entry first and removes the image's for the same uid or name, so that all tools use the same HOME.
 */
function addPasswdEntry(
  passwd: string,
  { uid, gid, userName }: { uid: number; gid: number; userName: string },
): string {
  const others = passwd.split('\n').filter((line) => {
    const [name, , id] = line.split(':');
    return line !== '' && id !== String(uid) && name !== userName;
  });
  const name = /^[a-z_][a-z0-9_.-]*$/i.test(userName) ? userName : 'gbuild';
  const entry = `${name}:x:${uid}:${gid}::${containerPaths.home}:/bin/sh`;
  return `${[entry, ...others].join('\n')}\n`;
}

function hasId(table: string, id: number): boolean {
  return table.split('\n').some((line) => line.split(':')[2] === String(id));
}

function ended(text: string): string {
  return text === '' || text.endsWith('\n') ? text : `${text}\n`;
}
