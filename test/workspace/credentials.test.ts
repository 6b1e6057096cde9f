import { expect, test } from 'vitest';
import { mayHoldCredentials } from '../../src/workspace/credentials.ts';

test.each([
  '.npmrc',
  'packages/api/.npmrc',
  '.yarnrc.yml',
  '.env',
  '.env.production',
  '.env_local',
  '.envrc',
  '.netrc',
  '.pypirc',
  '.git-credentials',
  '.bundle/config',
  'engine/.bundle/config',
  '.m2/settings.xml',
  'config/master.key',
  'config/credentials/production.key',
  'deploy/id_ed25519',
])('%s may hold credentials', (path) => {
  expect(mayHoldCredentials(path)).toBe(true);
});

test.each([
  'npmrc.md',
  '.environment',
  'src/env.js',
  'env/index.js',
  'config/config',
  'bundle/config',
  'settings.xml',
  'config/credentials.yml.enc',
  'keys/id_rsa.pub',
  'locales/en.key',
])('%s holds none', (path) => {
  expect(mayHoldCredentials(path)).toBe(false);
});
