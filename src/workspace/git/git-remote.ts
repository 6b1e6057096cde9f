const withUser = /^(ssh|git\+ssh|ssh\+git)$/i;
const withoutUser = /^(https?|ftps?|git|file)$/i;
const authority = /^(\[[0-9a-f:.]+\]|[\w.~\x80-\u{10ffff}-]*)(:\d*)?$/iu;

/**
 * Removes password, token and query from the address or the name of a remote; a user name stays where ssh needs one.
 * Undefined for an unknown form, which might hold a password: a helper's (`ext::`), a password with a slash in it.
 */
export function cleanRemote(remote: string): string | undefined {
  const url = /^([a-z][a-z0-9+.-]*):\/\/([^/?#]*)([^?#]*)/i.exec(remote);
  if (url === null) return isPlain(remote) ? remote : undefined;
  const [, scheme = '', place = '', path = ''] = url;
  const at = place.lastIndexOf('@');
  const host = place.slice(at + 1);
  if (!authority.test(host)) return undefined;
  if (withoutUser.test(scheme)) return `${scheme}://${host}${path}`;
  if (!withUser.test(scheme)) return undefined;
  const user = at === -1 ? '' : `${place.slice(0, at).replace(/:.*/s, '')}@`;
  return `${scheme}://${user}${host}${path}`;
}

/** Whether it is a name, a path, or `user@host:path`. */
function isPlain(remote: string): boolean {
  if (remote.includes('::') || remote.includes('://')) return false;
  return !remote.includes('@') || /^\.{0,2}\//.test(remote) || /^[\w.-]+@[\w.-]+:[^@]*$/.test(remote);
}
