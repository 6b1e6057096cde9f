import { expect, test } from 'vitest';
import { exitCodes } from '../../src/errors.ts';
import { readPage } from '../support/cli/doc-pages.ts';

test('the table of error codes is that of the code', () => {
  const rows = readPage('docs/errors.md').matchAll(/^\| `([\w-]+)` \| (\d+) \| .+ \|$/gm);
  expect([...rows].map(([, code, exitCode]) => [code, Number(exitCode)])).toEqual(Object.entries(exitCodes));
});
