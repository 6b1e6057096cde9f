import type { SshEnd } from './stream.ts';
import { formatSshWords, type SshTarget } from './target.ts';

/** Fault of an ssh connection, in a sentence that ends with ssh's own line, and its suggestions. */
export interface SshFailure {
  sentence: string;
  suggestions: string[];
}

interface Known {
  pattern: RegExp;
  explain(target: Words, stderr: string): SshFailure;
}

interface Words {
  host: string;
  /** Words that follow `ssh ` on a command line. */
  words: string;
}

/**
 * Known failures. ssh exits with 255 for any fault of the connection, and the remote client with 1: only their messages
 * differ.
 */
const failures: Known[] = [
  {
    pattern: /HOST IDENTIFICATION HAS CHANGED/,
    explain: ({ host, words }, stderr) => ({
      sentence: `${host} shows another host key than the one that is known: it was reinstalled, or it is another machine`,
      suggestions: [...forgetKey(stderr), `ssh ${words}   # compare the fingerprint`],
    }),
  },
  {
    pattern: /Host key verification failed|No \S+ host key is known/,
    explain: ({ host, words }) => ({
      sentence: `the host key of ${host} is not known yet`,
      suggestions: [`ssh ${words}   # compare the fingerprint, then answer yes`],
    }),
  },
  {
    pattern: /Permission denied \(|Too many authentication failures|No more authentication methods/,
    explain: ({ host, words }) => ({
      sentence: `${host} refused your login`,
      suggestions: ['ssh-add -l   # does the agent know your key?', `ssh-copy-id ${words}`, `ssh -v ${words} true`],
    }),
  },
  {
    pattern: /Could not resolve hostname/,
    explain: ({ host, words }) => ({
      sentence: `there is no host ${host}`,
      suggestions: [`ssh -G ${words} | grep -i hostname`],
    }),
  },
  {
    pattern: /Connection refused/,
    explain: ({ host, words }) => ({
      sentence: `nothing listens for ssh on ${host}`,
      suggestions: [`ssh -v ${words} true`, `ssh -G ${words} | grep -i port`],
    }),
  },
  {
    pattern: /timed out|No route to host|Network is unreachable|Host is down/i,
    explain: ({ host, words }) => ({ sentence: `${host} does not answer`, suggestions: [`ssh -v ${words} true`] }),
  },
  {
    pattern: /permission denied[^(]*$/im,
    explain: ({ host, words }) => ({
      sentence: `the user there may not use the engine's socket on ${host}`,
      suggestions: [`ssh ${words} 'sudo usermod -aG docker "$USER"'`, `ssh ${words} id`],
    }),
  },
  {
    pattern:
      /Cannot connect to the Docker daemon|connect: (connection refused|no such file)|unable to connect to Podman/i,
    explain: ({ host, words }) => ({
      sentence: `no engine runs on ${host}`,
      suggestions: [`ssh ${words} sudo systemctl start docker`, `ssh ${words} docker version`],
    }),
  },
  {
    pattern: /dial-stdio/,
    explain: ({ host, words }) => ({
      sentence: `the docker program on ${host} is too old for this (Docker 18.09 or later has dial-stdio)`,
      suggestions: [`ssh ${words} docker version`],
    }),
  },
];

/** Explains the fault of a connection that never carried a byte. */
export function explainSsh({ exitCode, stderr }: SshEnd, target: SshTarget): SshFailure {
  const words = formatSshWords(target);
  const { host } = target;
  if (/^spawn ssh ENOENT/.test(stderr))
    return {
      sentence: 'there is no program ssh on this machine',
      suggestions: ['sudo apt-get install openssh-client   # on Debian and Ubuntu'],
    };
  if (exitCode === undefined && stderr === '')
    return { sentence: `${host} does not answer`, suggestions: [`ssh -v ${words} true`] };
  if (exitCode === 127)
    return {
      sentence: `there is neither docker nor podman on the PATH of commands over ssh on ${host}`,
      suggestions: [`ssh ${words} 'command -v docker podman; echo $PATH'`],
    };
  const found = failures.find(({ pattern }) => pattern.test(stderr))?.explain({ host, words }, stderr);
  const { sentence, suggestions } = found ?? { sentence: 'ssh failed', suggestions: [`ssh -v ${words} true`] };
  const line = lastLine(stderr);
  return { sentence: line === '' ? sentence : `${sentence} (${line})`, suggestions };
}

/** Suggests how to remove an old key; ssh names the file and the entry in it. */
function forgetKey(stderr: string): string[] {
  const file = /^Offending .* key in (\S+):\d+/m.exec(stderr)?.[1];
  const entry = /^Host key for (\S+) has changed/m.exec(stderr)?.[1];
  if (file === undefined || entry === undefined) return [];
  return [`ssh-keygen -f ${file} -R '${entry}'   # only if it was reinstalled`];
}

/** Returns the last line that is not empty. */
export function lastLine(text: string): string {
  return text.trim().split('\n').at(-1)?.trim() ?? '';
}
