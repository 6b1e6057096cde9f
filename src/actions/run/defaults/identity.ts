import type { EngineInfo } from '../../../engine/info.ts';
import type { Host } from '../../../host.ts';
import { containerPaths } from '../../../plan/container-paths.ts';
import type { FixedFile } from './container-files.ts';

/** As whom a task runs, so that what it writes to the workspace belongs to the caller. */
export interface Identity {
  uid: number;
  gid: number;
  userName: string;
  /** Set where the engine maps users of containers elsewhere and must not for this one. */
  usernsMode?: string;
}

/**
 * The caller's own ids; root of the container where the engine is rootless, because that is whom such an engine maps to
 * the caller. An engine with userns-remap is asked not to remap.
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

/** Root keeps what installing packages and writing into foreign folders takes; anyone else keeps nothing. */
export function capabilitiesOf(identity: Identity): string[] {
  return identity.uid === 0 ? ['CHOWN', 'DAC_OVERRIDE', 'FOWNER', 'FSETID', 'KILL', 'SETGID', 'SETUID'] : [];
}

/**
 * The image's user tables with the caller in them. Root is in every image's already, and must stay able to add users.
 * `passwd` and `group` are the image's own files.
 */
export function planUserTables(identity: Identity, image: { passwd: string; group: string }): FixedFile[] {
  const { uid, gid } = identity;
  if (uid === 0) return [];
  const files = [{ path: '/etc/passwd', content: addPasswdEntry(image.passwd, identity) }];
  if (!hasId(image.group, gid)) files.push({ path: '/etc/group', content: `${ended(image.group)}gbuild:x:${gid}:\n` });
  return files;
}

/** git works in the workspace whoever owns it; by variables, so that no file of the caller's home is in the way. */
export const trustedWorkspace: Record<string, string> = {
  GIT_CONFIG_COUNT: '1',
  GIT_CONFIG_KEY_0: 'safe.directory',
  GIT_CONFIG_VALUE_0: '*',
};

/** The caller's entry goes first and replaces the image's for the same uid or name, so that HOME is one for all tools. */
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
