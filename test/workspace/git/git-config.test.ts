import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { makeSafeConfig } from '../../../src/workspace/git/git-config.ts';
import { cleanRemote } from '../../../src/workspace/git/git-remote.ts';
import { parseGitConfig } from '../../../src/workspace/git/parse-git-config.ts';

/** What git itself reads, `name\nvalue` each; undefined where it refuses. */
function askGit(text: string): string[] | undefined {
  try {
    const options = {
      input: Buffer.from(text, 'latin1'),
      stdio: ['pipe', 'pipe', 'ignore'] as ['pipe', 'pipe', 'ignore'],
    };
    const args = ['config', '--file', '-', '--no-includes', '--list', '-z'];
    return execFileSync('git', args, options).toString('latin1').split('\0').slice(0, -1);
  } catch {
    return undefined;
  }
}

function readOwn(text: string): string[] | undefined {
  const { variables, isWhole } = parseGitConfig(text);
  if (!isWhole) return undefined;
  return variables.map(({ section, subsection, key, value }) => {
    const name = [section, subsection, key].filter((part) => part !== undefined && part !== '').join('.');
    return value === undefined ? name : `${name}\n${value}`;
  });
}

describe('a git config is read as git reads it', () => {
  test.each([
    ['\u00ef\u00bb\u00bf[core]\n\tbare = false\n', 'a byte order mark'],
    ['[Core]\r\n\tBare = false\r\n\tpath = a\\\r\nb\r\n', 'lines that end in CR LF'],
    ['[remote "or\\"i\\\\g\\in"] URL=x', 'a quoted subsection'],
    ['[branch.Old.Name]\nremote = x\n[a "b"][c]d=1', 'a subsection behind a dot, two headers in a line'],
    ['[a]x = "q  u" o\\t\\b\\n\\\\te  ; c\n y=a#c\n z="a;#b" # c\n', 'quotes, escapes and comments'],
    ['[a]x = one \\\n  two\\\n\n y = "th\\\nree"\n z = end\\', 'values of several lines'],
    ['[a]\n\tx\n\ty =\n\tz=""\n\tw = ""  b\n # none\n ; none', 'no value and an empty one'],
    ['x = 1\n[a]\rb=1\rc\n', 'no section, and a lone CR'],
    ['[a]x = "open\n', 'a quote that stays open'],
    ['[a]x = \\q\n', 'an escape that is none'],
    ['[a]x #c\n', 'a comment behind a key'],
    ['[]x=1', 'a section without a name'],
    ['[a "b" ]x=1', 'a blank in a header'],
    ['[a\n"b"]x=1', 'a header of two lines'],
    ['[a]1x=1', 'a key that begins with a digit'],
    ['[a]x_y=1', 'a key with an underscore'],
  ])('%j: %s', (text) => {
    expect(unblank(readOwn(text))).toEqual(unblank(askGit(text)));
  });

  test('whatever is put together of its pieces', () => {
    const pieces = [
      '[',
      ']',
      '"',
      '\\',
      '\n',
      '\r\n',
      '\r',
      '=',
      '#',
      ';',
      ' ',
      'a',
      'B.',
      'x=1\n',
      '[a]\n',
      '[a "b"]',
      '\\n',
    ];
    const texts = fc.array(fc.constantFrom(...pieces), { maxLength: 12 }).map((parts) => `[s]${parts.join('')}`);
    fc.assert(
      fc.property(texts, (text) => {
        expect(unblank(readOwn(text))).toEqual(unblank(askGit(text)));
      }),
      { numRuns: 150 },
    );
  });
});

/** Older gits make a space of each blank inside a value, newer ones leave it. */
const unblank = (names: string[] | undefined) => names?.map((name) => name.replaceAll('\r', ' '));

const checkedOut = `[core]
	repositoryformatversion = 0
	fileMode = true
	sshCommand = "ssh -i /tmp/TOKEN"
	fsmonitor = /opt/TOKEN
[remote "origin"]
	url = https://x-access-token:TOKEN@example.com/a/b.git
	pushurl = ssh://git:TOKEN@example.com:22/a/b.git?key=TOKEN
	url = git@example.com:a/b.git
	url = ext::sh -c TOKEN
	fetch = +refs/heads/*:refs/remotes/origin/*
	proxy = http://u:TOKEN@proxy
[http "https://example.com/"]
	extraheader = AUTHORIZATION: basic TOKEN
[url "https://TOKEN@example.com/"]
	insteadOf = https://example.com/
[credential "https://example.com"]
	helper = store --file=.git/TOKEN
[include]
	path = /home/TOKEN
[includeIf "gitdir:/TOKEN"]
	path = TOKEN
[branch "ma\\"in"]
	remote = https://TOKEN@example.com/a/b.git
	merge = refs/heads/main
	description = TOKEN
[remote "https://TOKEN@example.com/c.git"]
	promisor = true
[submodule "sub"]
	active
	url = https://u:TOKEN@example.com/sub.git#TOKEN
	update = !TOKEN
[filter "lfs"]
	clean = git-lfs clean -- %f
	smudge = git-lfs smudge -- %f; TOKEN
	required = true
[user]
	name = "A; \\"B\\" "
	token = TOKEN
[constructor]
	name = TOKEN
[core]
	constructor = TOKEN
	hooksPath = x\\ny
`;

describe('a safe config', () => {
  test('keeps what tells git of the repository, and nothing that may be a credential', () => {
    const { text, dropped } = makeSafeConfig(checkedOut);
    expect(text).toMatchInlineSnapshot(`
      "[core]
      	repositoryformatversion = 0
      	filemode = true
      [remote "origin"]
      	url = https://example.com/a/b.git
      	pushurl = "ssh://git@example.com:22/a/b.git"
      	url = "git@example.com:a/b.git"
      	fetch = +refs/heads/*:refs/remotes/origin/*
      [branch "ma\\"in"]
      	remote = https://example.com/a/b.git
      	merge = refs/heads/main
      [submodule "sub"]
      	active
      	url = https://example.com/sub.git
      [filter "lfs"]
      	clean = "git-lfs clean -- %f"
      	smudge = "git-lfs smudge -- %f"
      	required = true
      [user]
      	name = "A; \\"B\\" "
      [core]
      	hookspath = "x\\ny"
      "
    `);
    expect(text + dropped.join()).not.toContain('TOKEN');
    expect(dropped).toMatchInlineSnapshot(`
      [
        "core.sshcommand",
        "core.fsmonitor",
        "remote.url",
        "remote.proxy",
        "http.extraheader",
        "url.insteadof",
        "credential.helper",
        "include.path",
        "includeif.path",
        "branch.description",
        "remote.promisor",
        "submodule.update",
        "user.token",
        "constructor.name",
        "core.constructor",
      ]
    `);
  });

  test('is read by git as what was kept of the whole, and is its own safe config', () => {
    const { text } = makeSafeConfig(checkedOut);
    const whole = new Set(askGit(checkedOut));
    const kept = askGit(text)!;
    expect(kept.filter((line) => !whole.has(line) && !/url\n|branch\..*remote/.test(line))).toEqual([]);
    expect(kept).toHaveLength(15);
    expect(makeSafeConfig(text)).toEqual({ text, dropped: [] });
  });

  test('has nothing that stands behind the place where git cannot read on', () => {
    expect(makeSafeConfig('[core]\nbare = true\n[remote "x"]\nurl = "open\n[core]\nabbrev = 4\n')).toEqual({
      text: '[core]\n\tbare = true\n',
      dropped: ['what git cannot read'],
    });
  });
});

test.each([
  ['origin', 'origin'],
  ['../src.git', '../src.git'],
  ['/srv/a@b.git', '/srv/a@b.git'],
  ['git@example.com:a/b.git', 'git@example.com:a/b.git'],
  ['ssh://git@example.com/a/b.git', 'ssh://git@example.com/a/b.git'],
  ['ssh://git:pw@[::1]:22/~a/b.git', 'ssh://git@[::1]:22/~a/b.git'],
  ['HTTPS://TOKEN@example.com/a/@b/c', 'HTTPS://example.com/a/@b/c'],
  ['https://u:p@q@example.com/a', 'https://example.com/a'],
  ['https://example.com:8443/a?private_token=t#f', 'https://example.com:8443/a'],
  ['file:///srv/a.git', 'file:///srv/a.git'],
  ['https://u:p/q@example.com/a', undefined],
  ['https://u:p?q@example.com/a', undefined],
  [' https://u:p@example.com/a', undefined],
  ['https:/u:p@example.com/a', undefined],
  ['u:p@example.com/a', undefined],
  ['ext::sh -c x', undefined],
  ['codecommit://profile@repository', undefined],
])('the address %j is told as %j', (remote, told) => {
  expect(cleanRemote(remote)).toBe(told);
});
