import { containerPaths } from './container-paths.ts';

/** Task as the script runs it. */
export interface ScriptTask {
  /** Positions of the tasks that must have passed. */
  needs: number[];
  /** Absolute path. */
  workdir: string;
  env: Record<string, string>;
  command: string[];
}

export interface ShardScript {
  /** Unique word that starts every line of the script's own. */
  token: string;
  tasks: ScriptTask[];
  /** Globs of the files that are sent at the end. */
  reports: string[];
}

/** File with the time of all shipped files: newer files were written by a task. */
export const sourceMark = '/run/gbuild/shipped';

/**
 * Formats the script for a POSIX shell. It runs tasks one after the other, each as in its own container (background
 * processes are ended). Both streams get a line at each start and end: `TOKEN begin N`, `TOKEN end N CODE no
 * oom`, at last `TOKEN over`. Before the last, the tasks' reports go to stdout: `TOKEN reports SHA256 FILES`, then a
 * gzipped tar in base64.
 */
export function formatShardScript({ token, tasks, reports }: ShardScript): string {
  return [
    `T=${quote(token)}`,
    prelude,
    ...tasks.map((task, at) => `task_${at}() { ${formatTask(task)}; }`),
    ...tasks.map(
      ({ needs }, at) => `${needs.map((need) => `[ -n "$ok_${need}" ] && `).join('')}run ${at} && ok_${at}=1`,
    ),
    ...(reports.length > 0 ? [`cd ${containerPaths.workspace}`, `list=$(${formatSearch(reports)})`, sendReports] : []),
    'say over',
    linger,
    '',
  ].join('\n');
}

/** Makes the init forward SIGTERM to the script's whole group: the task ends, and the script survives to report it. */
export const initEnvironment = { TINI_KILL_PROCESS_GROUP: '1' };

const prelude = `stopped=
trap 'stopped=1' TERM
unset ${Object.keys(initEnvironment).join(' ')}
say() { printf '%s %s\\n' "$T" "$1"; printf '%s %s\\n' "$T" "$1" >&2; }
kills() {
  cat /sys/fs/cgroup/memory.events /sys/fs/cgroup/memory/memory.oom_control 2>/dev/null | sed -n 's/^oom_kill //p'
}
run() {
  before=$(kills)
  say "begin $1"
  ( "task_$1" ) </dev/null
  code=$?
  kill -9 -1 2>/dev/null
  oom=no
  [ "$(kills)" = "$before" ] || oom=oom
  say "end $1 $code $oom"
  [ -z "$stopped" ] || exit 0
  [ "$code" = 0 ]
}`;

/**
 * Packed twice instead of stored: no folder is surely writable, and no process runs that could change a file in
 * between.
 */
const sendReports = `set -f
IFS='
'
set -- $list
unset IFS
if [ $# -gt 0 ]; then
  sum=$(tar -cf - "$@" 2>/dev/null | sha256sum)
  printf '%s reports %s %s\\n' "$T" "\${sum%% *}" $#
  tar -cf - "$@" 2>/dev/null | gzip -c | base64 | tr -d '\\n'
  echo
fi`;

/** Keeps the container alive for an hour or until its removal: a swarm forgets ended containers of a removed job. */
const linger = `[ -n "$stopped" ] || { sleep 3600 & wait $!; }`;

function formatTask({ workdir, env, command }: ScriptTask): string {
  const variables = Object.entries(env).map(([key, value]) => quote(`${key}=${value}`));
  const line = ['exec', 'env', ...variables, ...command.map(quote)].join(' ');
  return `mkdir -p ${quote(workdir)} && cd ${quote(workdir)} && ${line}`;
}

/**
 * Formats a search that finds more than the globs mean, never less: find(1) has no `**`. A name with a line break is
 * left out.
 */
function formatSearch(globs: string[]): string {
  const searches = globs.map((glob) => {
    const { folder, pattern } = widen(glob.replace(/^(?:\.\/)+/, ''));
    const paths = [pattern, `${pattern}/*`].map((each) => `-path ${quote(each)}`).join(' -o ');
    return `find ${quote(folder)} -type f -newer ${sourceMark} ! -name '*\n*' \\( ${paths} \\)`;
  });
  return `{ ${searches.join('; ')}; } 2>/dev/null | sort -u`;
}

function widen(glob: string): { folder: string; pattern: string } {
  const parts = glob.split('/');
  const special = parts.findIndex((part) => /[*?[\]{}()!+@|\\]/.test(part));
  const plain = special === -1 ? parts : parts.slice(0, special);
  const rest = special === -1 ? '' : parts.slice(special).join('/');
  const folder = ['.', ...plain].join('/');
  // Braces and similar syntax become a wildcard.
  const loose = rest
    .replace(/[{(!+@|\\].*$/, '*')
    .replaceAll(/\[[^\]]*\]/g, '?')
    .replaceAll(/\*\*\/?/g, '*');
  return { folder, pattern: rest === '' ? folder : `${folder}/${loose}` };
}

function quote(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}
