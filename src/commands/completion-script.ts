export interface CompletableCommand {
  id: string;
  summary: string;
  flags: string[];
}

/** The script a shell sources. It asks gbuild for the repository's task names, everything else stands in it. Pure. */
export function formatCompletion(shell: 'bash' | 'zsh', commands: CompletableCommand[]): string {
  return shell === 'bash' ? formatBash(commands) : formatZsh(commands);
}

function formatBash(commands: CompletableCommand[]): string {
  const cases = commands.map(({ id, flags }) => `    ${id}) words="${flags.join(' ')}" ;;`).join('\n');
  return `# bash completion of gbuild
_gbuild_tasks() { gbuild plan --tasks 2>/dev/null; }
_gbuild() {
  local current="\${COMP_WORDS[COMP_CWORD]}" command="\${COMP_WORDS[1]}" words=""
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W "${commands.map(({ id }) => id).join(' ')} --help --version" -- "$current"))
    return
  fi
  case "$command" in
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
  const described = commands.map(({ id, summary }) => `    '${id}:${escapeItem(summary)}'`).join('\n');
  const cases = commands.map(({ id, flags }) => `    ${id}) candidates=(${flags.join(' ')}) ;;`).join('\n');
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
  case "$words[2]" in
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

/** For a single-quoted item of _describe, where ':' divides name and text. */
function escapeItem(text: string): string {
  return text.replaceAll("'", `'\\''`).replaceAll(':', '\\:');
}
