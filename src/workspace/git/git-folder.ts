/** Decision about a path when a workspace is sent to another machine. */
export type GitFate = 'goes' | 'goes without credentials' | 'stays';

/** Names of gitrepository-layout(5) without logs and FETCH_HEAD, which hold addresses as they were typed. */
const layout = new RegExp(
  '^(?:HEAD|(?!FETCH_)[A-Z_]+_(?:HEAD|MSG|MODE)|index|sharedindex\\.[^/]*|packed-refs|shallow|description|commondir|gitdir|' +
    '(?:objects|refs|reftable|info|hooks|modules|worktrees)(?:/.*)?|(?:lfs|annex)(?:/objects(?:/.*)?)?)$',
  's',
);

/** Configs, also of an incomplete submodule. */
const configs = /^(?:modules\/.*\/)?config(?:\.worktree)?$/s;

/**
 * Decides which paths of git folders a build needs. `has` tells whether the workspace has a path: submodules' names may
 * have slashes, so the content tells which folder is one.
 */
export function judgeGitPath(path: string, has: (path: string) => boolean): GitFate {
  const top = /(?:^|\/)\.git\//i.exec(path);
  if (top === null) return 'goes';
  let at = top.index + top[0].length;
  for (let next: number | undefined = at; next !== undefined; next = findInner(path, at, has)) at = next;
  const rest = path.slice(at);
  if (configs.test(rest)) return 'goes without credentials';
  return layout.test(rest) ? 'goes' : 'stays';
}

/** Returns the position where the path continues in the folder of a submodule or of another worktree. */
function findInner(path: string, at: number, has: (path: string) => boolean): number | undefined {
  const folder = /(?:modules|worktrees)\//y;
  folder.lastIndex = at;
  if (!folder.test(path)) return undefined;
  for (let end = path.indexOf('/', folder.lastIndex); end !== -1; end = path.indexOf('/', end + 1))
    if (has(`${path.slice(0, end)}/HEAD`)) return end + 1;
  return undefined;
}
