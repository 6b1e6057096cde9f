export interface CompletableCommand {
  id: string;
  summary: string;
  flags: string[];
}

/** Word of a completion. A command of several words belongs to a topic: its first word completes to the second. */
interface Word {
  name: string;
  summary: string;
  words: string[];
}

/** Lists completions after `gbuild`: commands with their flags, topics with their commands. */
function firstWords(commands: CompletableCommand[]): Word[] {
  const words = new Map<string, Word>();
  for (const { id, summary, flags } of commands) {
    const [name = '', second] = id.split(':');
    const known = words.get(name) ?? { name, summary, words: [] };
    words.set(name, { ...known, words: [...known.words, ...(second === undefined ? flags : [second])] });
  }
  return [...words.values()];
}

/** Lists completions after a topic. */
function secondWords(commands: CompletableCommand[]): { id: string; flags: string[] }[] {
  return commands.filter(({ id }) => id.includes(':')).map(({ id, flags }) => ({ id: id.replace(':', ' '), flags }));
}

/** Formats the script for a shell. It asks gbuild for the repository's task names; everything else is in it. Pure. */
export function formatCompletion(shell: 'bash' | 'zsh', commands: CompletableCommand[]): string {
  return shell === 'bash' ? formatBash(commands) : formatZsh(commands);
}

function formatBash(commands: CompletableCommand[]): string {
  const first = firstWords(commands);
  const cases = [
    ...secondWords(commands).map(({ id, flags }) => `    "${id}:"*) words="${flags.join(' ')}" ;;`),
    ...first.map(({ name, words }) => `    ${name}\\ *) words="${words.join(' ')}" ;;`),
  ].join('\n');
  return `# bash completion of gbuild
_gbuild_tasks() { gbuild plan --tasks 2>/dev/null; }
_gbuild() {
  local current="\${COMP_WORDS[COMP_CWORD]}" command="\${COMP_WORDS[1]}" words=""
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W "${first.map(({ name }) => name).join(' ')} --help --version" -- "$current"))
    return
  fi
  local second=""
  [ "$COMP_CWORD" -gt 2 ] && second="\${COMP_WORDS[2]}"
  case "$command $second:" in
${cases}
  esac
  case "$command:$current" in
    run:-* | plan:-*) ;;
    run:* | plan:*) words="$(_gbuild_tasks)" ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _gbuild gbuild
`;
}

function formatZsh(commands: CompletableCommand[]): string {
  const first = firstWords(commands);
  const described = first.map(({ name, summary }) => `    '${name}:${escapeItem(summary)}'`).join('\n');
  const cases = [
    ...secondWords(commands).map(({ id, flags }) => `    "${id}:") candidates=(${flags.join(' ')}) ;;`),
    ...first.map(({ name, words }) => `    "${name} "*) candidates=(${words.join(' ')}) ;;`),
  ].join('\n');
  return `#compdef gbuild
# zsh completion of gbuild
_gbuild() {
  local -a commands candidates
  commands=(
${described}
  )
  if (( CURRENT == 2 )); then
    _describe 'command' commands
    return
  fi
  local second=""
  (( CURRENT > 3 )) && second="$words[3]"
  case "$words[2] $second:" in
${cases}
  esac
  if [[ "$words[2]" == (run|plan) && "$PREFIX" != -* ]]; then
    candidates=(\${(f)"$(gbuild plan --tasks 2>/dev/null)"})
  fi
  compadd -a candidates
}
compdef _gbuild gbuild
`;
}

/** Escapes a single-quoted item of _describe, where ':' separates name and text. */
function escapeItem(text: string): string {
  return text.replaceAll("'", `'\\''`).replaceAll(':', '\\:');
}
