import { createFixture } from 'fs-fixture';
import { expect, it } from 'vitest';
import { readGitUser } from '../../../src/workspace/git/git-user.ts';
import { git } from '../../support/cli/cli.ts';

const env = (HOME: string, more: Record<string, string> = {}) => ({ PATH: process.env.PATH, HOME, ...more });

it('reads the user of the variables, of the repository, of the home, in this order', async () => {
  await using fixture = await createFixture({
    'home/.gitconfig': '[user]\n\tname = Ada\n\temail = ada@example.org\n',
    'repository/x': '',
    'empty/x': '',
  });
  const [home, repository] = [fixture.getPath('home'), fixture.getPath('repository')];
  git(repository, 'init', '-q');
  git(repository, 'config', 'user.name', 'Bob');
  expect(await readGitUser(home, env(home))).toBe('Ada <ada@example.org>');
  const named = env(home, { GIT_COMMITTER_NAME: 'Cem', GIT_COMMITTER_EMAIL: 'cem@example.org' });
  expect(await readGitUser(repository, named)).toBe('Cem <cem@example.org>');
  expect(await readGitUser(fixture.getPath('empty'), env(fixture.getPath('empty')))).toBeUndefined();
  expect(await readGitUser(home, { HOME: home, PATH: '/nowhere' })).toBeUndefined();
  expect(await readGitUser(repository, env(home))).toBe('Bob <ada@example.org>');
});
