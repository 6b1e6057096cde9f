import { join } from 'node:path';
import { expect, test } from 'vitest';
import { GbuildError } from '../../../src/errors.ts';
import { explainMissingPackages } from '../../../src/toolchain/build/missing-packages.ts';
import { readCatalog } from '../../../src/toolchain/catalog/catalog.ts';
import { resolveToolchain } from '../../../src/toolchain/resolve/resolve.ts';
import { errorOf } from '../../support/assert/error-of.ts';

const catalog = await readCatalog([join(import.meta.dirname, '../../../images')]);

function explain(options: Record<string, string[]>, lines: string) {
  const resolved = resolveToolchain(
    { kind: 'catalog', request: 'ruby@3.1', name: 'ruby', range: '3.1', options },
    catalog,
  );
  const failed = new GbuildError(
    'toolchain-failed',
    `could not build ruby 3.1: its command ended with exit code: 100\n${lines}`,
  );
  return errorOf(() => {
    throw explainMissingPackages(failed, { ...resolved });
  });
}

test('packages of the spec that Debian does not have are the mistake of the spec', async () => {
  const lines =
    "  E: Unable to locate package ruby-pumma\n  E: Package 'libpq9' has no installation candidate\n  at step x";
  expect(
    await explain({ packages: ['libpq9', 'tzdata'], buildPackages: ['ruby-pumma'] }, lines),
  ).toMatchInlineSnapshot(`
    {
      "code": "spec-invalid",
      "message": "toolchain.buildPackages: Debian bookworm, the base of ruby, has no package ruby-pumma
    toolchain.packages: Debian bookworm, the base of ruby, has no package libpq9",
      "suggestions": [
        "correct toolchain.buildPackages in gbuild.yml: https://packages.debian.org/search?suite=bookworm&keywords=ruby-pumma",
      ],
    }
  `);
});

test("a package of the toolchain's own that Debian does not have is none of the spec's", async () => {
  expect(await explain({ packages: ['tzdata'] }, '  E: Unable to locate package ruby-bundler')).toMatchObject({
    code: 'toolchain-failed',
  });
});
