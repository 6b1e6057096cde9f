import type { ContainerFile } from '../engine/container-spec.ts';
import type { EngineInfo } from '../engine/info.ts';
import type { Host } from '../host.ts';
import { containerPaths } from '../plan/paths.ts';

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
 * A home of the caller's own, an entry in passwd and group beside the image's, and a git that trusts the workspace whoever
 * owns it. `passwd` and `group` are the image's own files.
 */
export function identityFiles(identity: Identity, image: { passwd: string; group: string }): ContainerFile[] {
  const { uid, gid, userName } = identity;
  const owned = { uid, gid };
  const files: ContainerFile[] = [
    { path: containerPaths.home, type: 'directory', mode: 0o755, ...owned },
    {
      path: `${containerPaths.home}/.gitconfig`,
      type: 'file',
      mode: 0o644,
      ...owned,
      content: Buffer.from('[safe]\n\tdirectory = *\n'),
    },
    textFile('/etc/passwd', addPasswdEntry(image.passwd, { uid, gid, userName })),
  ];
  if (!hasId(image.group, gid)) files.push(textFile('/etc/group', `${ended(image.group)}gbuild:x:${gid}:\n`));
  return files;
}

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

function hasId(group: string, gid: number): boolean {
  return group.split('\n').some((line) => line.split(':')[2] === String(gid));
}

function ended(text: string): string {
  return text === '' || text.endsWith('\n') ? text : `${text}\n`;
}

function textFile(path: string, text: string): ContainerFile {
  return { path, type: 'file', mode: 0o644, uid: 0, gid: 0, content: Buffer.from(text) };
}
