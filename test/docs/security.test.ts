import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));

test('docs/security.md names each file that starts a program of this machine, and no other', () => {
  const files = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.ts'),
  );
  const starters = files.filter((file) => startsPrograms(readFileSync(join(root, 'src', file), 'utf8')));
  const page = readFileSync(join(root, 'docs/security.md'), 'utf8');
  const table = page.slice(page.indexOf('## Where gbuild starts a program'));
  const named = [...table.matchAll(/^\|[^|]*\| `([\w/-]+\.ts)` \|/gm)].map((match) => match[1]);
  expect(named.sort()).toEqual(starters.sort());
});

/** Imports something of Node's that starts a program, or the library that does. Types start nothing. */
function startsPrograms(text: string): boolean {
  const values = [...text.matchAll(/^import (?!type)([^;]*) from 'node:child_process'/gm)].flatMap((match) =>
    match[1]!
      .replaceAll(/[{}]/g, '')
      .split(',')
      .map((name) => name.trim())
      .filter((name) => name !== '' && !name.startsWith('type ')),
  );
  return (
    values.length > 0 || /(from|import\()\s*'execa'/.test(text) || /process\.binding|worker_threads.*eval/.test(text)
  );
}
