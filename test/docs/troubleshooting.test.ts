import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { readPage } from '../support/cli/doc-pages.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const files = [
  'bin/run.js',
  ...readdirSync(`${root}src`, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => `src/${file}`),
];
const sources = files.map((file) => readFileSync(root + file, 'utf8').replaceAll("\\'", "'"));

/** Messages that the first column quotes. */
const quoted = [...readPage('docs/troubleshooting.md').matchAll(/^\| `([^`]+)` \|/gm)].map((match) => match[1]!);

/** Whether one source has all that a message says besides what `…` stands for, in this order. */
function isSaid(message: string): boolean {
  const parts = message.split('…').map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  // What differs is a hole of a template, or the end of one text and the beginning of another.
  const pattern = new RegExp(parts.join('[^`]*?'));
  return sources.some((text) => text.split('\n').some((line) => pattern.test(line)));
}

test.each(quoted)('%s', (message) => {
  expect(message.replaceAll('…', '').trim().length).toBeGreaterThan(8);
  expect(isSaid(message)).toBe(true);
});

test('the page quotes dozens of messages, and a wrong one would be seen', () => {
  expect(quoted.length).toBeGreaterThan(40);
  expect(isSaid('there is no task called "…')).toBe(false);
  expect(isSaid('port … cannot be reached')).toBe(false);
});
