import { cleanRemote } from './git-remote.ts';
import { type GitVariable, parseGitConfig } from './parse-git-config.ts';

/** Judges the value of a variable: undefined where it is not known to be harmless. */
type Judge = (value: string) => string | undefined;

const any: Judge = (value) => value;
const matching =
  (pattern: RegExp): Judge =>
  (value) =>
    pattern.test(value) ? value : undefined;
const lfs = matching(/^(true|false|git-lfs [a-z-]+( --skip)?( --)?( %f)?)$/);

function each(names: string, judge: Judge): Record<string, Judge> {
  return Object.fromEntries(names.split(' ').map((name) => [name, judge]));
}

/**
 * Variables by section that git needs to read a repository and its state. None is a command, a file in another place,
 * or a possible credential. `*` means every other key.
 */
const harmless: Record<string, Record<string, Judge>> = {
  core: each(
    'repositoryformatversion bare worktree filemode symlinks ignorecase precomposeunicode autocrlf eol safecrlf whitespace ' +
      'sharedrepository logallrefupdates sparsecheckout sparsecheckoutcone quotepath abbrev trustctime checkstat ' +
      'untrackedcache splitindex preloadindex protecthfs protectntfs commitgraph multipackindex compression ' +
      'bigfilethreshold notesref hookspath longpaths',
    any,
  ),
  extensions: { '*': any, partialclone: cleanRemote },
  branch: { ...each('merge rebase', any), ...each('remote pushremote', cleanRemote) },
  remote: {
    ...each('fetch push mirror prune prunetags promisor partialclonefilter skipdefaultupdate skipfetchall tagopt', any),
    ...each('url pushurl', cleanRemote),
    pushdefault: cleanRemote,
  },
  submodule: {
    ...each('active branch ignore path fetchrecursesubmodules recurse', any),
    url: cleanRemote,
    update: matching(/^(checkout|rebase|merge|none)$/),
  },
  filter: each('clean smudge process required', lfs),
  user: each('name email useconfigonly', any),
  diff: each('algorithm context ignoresubmodules indentheuristic mnemonicprefix noprefix renamelimit renames', any),
  status: { '*': any },
  index: { '*': any },
  feature: { '*': any },
  versionsort: { '*': any },
  i18n: { '*': any },
};

/** Config that others may see, and the names that it lacks: `section.key` of each, once. */
export interface SafeConfig {
  text: string;
  dropped: string[];
}

/**
 * Removes credentials from a git config (bytes in latin1): only variables known to be harmless stay, and addresses lose
 * user names, passwords and queries. Included files are not in it.
 */
export function makeSafeConfig(text: string): SafeConfig {
  const { variables, isWhole } = parseGitConfig(text);
  const dropped = new Set<string>();
  const lines: string[] = [];
  const lame = new Set(
    variables
      .filter(isCommand)
      .filter((each) => makeSafe(each) === undefined)
      .map(formatHeader),
  );
  let header = '';
  for (const variable of variables) {
    const safe = lame.has(formatHeader(variable)) ? undefined : makeSafe(variable);
    if (safe === undefined) dropped.add(`${variable.section}.${variable.key}`);
    else {
      const own = formatHeader(safe);
      if (own !== header) lines.push(own);
      header = own;
      lines.push(`\t${safe.key}${safe.value === undefined ? '' : ` = ${quote(safe.value)}`}`);
    }
  }
  if (!isWhole) dropped.add('what git cannot read');
  return { text: lines.map((line) => `${line}\n`).join(''), dropped: [...dropped] };
}

/**
 * Whether the variable is a command of a filter. An incomplete filter must go whole: git refuses every file of a
 * required one.
 */
function isCommand({ section, key }: GitVariable): boolean {
  return section === 'filter' && ['clean', 'smudge', 'process'].includes(key);
}

function makeSafe(variable: GitVariable): GitVariable | undefined {
  const { section, subsection, key, value } = variable;
  const keys = Object.hasOwn(harmless, section) ? harmless[section]! : {};
  const judge = Object.hasOwn(keys, key) ? keys[key] : keys['*'];
  // A remote without a name is called by its address.
  const isNamed = subsection === undefined || section !== 'remote' || cleanRemote(subsection) === subsection;
  if (judge === undefined || !isNamed || `${subsection}${value}`.includes('\0')) return undefined;
  if (value === undefined) return variable;
  const safe = judge(value);
  return safe === undefined ? undefined : { ...variable, value: safe };
}

function formatHeader({ section, subsection }: GitVariable): string {
  return subsection === undefined ? `[${section}]` : `[${section} "${subsection.replaceAll(/["\\]/g, '\\$&')}"]`;
}

function quote(value: string): string {
  const escaped = value.replaceAll(/["\\]/g, '\\$&').replaceAll('\n', '\\n');
  return /^[\w./:+*-]+$/.test(value) ? value : `"${escaped}"`;
}
