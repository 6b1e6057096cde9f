/** Engine behind the user's own ssh; their ssh configuration provides the missing parts. */
export interface SshTarget {
  user?: string;
  host: string;
  port?: number;
  /** Socket of the engine there, where it is not the usual one. */
  socketPath?: string;
}

const grammar = /^ssh:\/\/(?:([^@/]*)@)?(\[[^\]/]+\]|[^:/@[\]]+)(?::(\d{1,5}))?(\/.*)?$/;

/**
 * Parses `ssh://[user@]host[:port][/path/to/socket]`. Every part reaches a command line or a remote shell, so only
 * characters of names, addresses and paths are accepted. Returns the reason otherwise.
 */
export function parseSshTarget(address: string): SshTarget | string {
  const match = grammar.exec(address);
  if (match === null) return 'expected ssh://[USER@]HOST[:PORT][/PATH/TO/SOCKET]';
  const [, user, written = '', port, path = ''] = match;
  if (user?.includes(':'))
    return 'a password does not belong in an address: ssh asks for it, or its agent knows the key';
  if (user !== undefined && !/^[\w][\w.+\\-]*$/.test(user)) return 'that is not a user name';
  const host = written.replace(/^\[|\]$/g, '');
  if (!/^\w[\w.-]*$/.test(host) && !/^[0-9A-Fa-f:.]+(%[\w.-]+)?$/.test(host)) return 'that is not a host name';
  if (port !== undefined && (Number(port) === 0 || Number(port) > 65_535)) return 'a port is a number up to 65535';
  if (!/^[\w./@+=:,-]*$/.test(path))
    return "the socket's path has characters that a shell at the other end would change";
  return {
    host,
    ...(user !== undefined && { user }),
    ...(port !== undefined && { port: Number(port) }),
    ...(path.length > 1 && { socketPath: path }),
  };
}

/** Formats the address as DOCKER_HOST spells it. */
export function formatSshTarget({ user, host, port, socketPath }: SshTarget): string {
  const name = host.includes(':') ? `[${host}]` : host;
  return `ssh://${user === undefined ? '' : `${user}@`}${name}${port === undefined ? '' : `:${port}`}${socketPath ?? ''}`;
}

/** Formats the words that a person types after `ssh ` to connect. */
export function formatSshWords({ user, host, port }: SshTarget): string {
  return `${port === undefined ? '' : `-p ${port} `}${user === undefined ? '' : `${user}@`}${host}`;
}
