import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { allowedImports, ownReaders, packageOwners, sharedFiles } from './support/assert/architecture.ts';

const src = fileURLToPath(new URL('../src', import.meta.url));

const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));

function roomOf(file: string): string {
  return file.includes('/') ? file.split('/')[0]! : file.replace(/\.ts$/, '');
}

/** A source without its comment lines. */
function codeOf(file: string): string {
  return readFileSync(join(src, file), 'utf8').replaceAll(/^\s*(\/\*)?\*.*$|^\s*\/\/.*$/gm, '');
}

function importsOf(file: string): { specifier: string; typeOnly: boolean }[] {
  const text = readFileSync(join(src, file), 'utf8');
  const found = text.matchAll(/^(import|export)\s(type\s)?[^;]*?from '([^']+)'|import\('([^']+)'\)/gm);
  return [...found].map((match) => ({ specifier: match[3] ?? match[4]!, typeOnly: match[2] !== undefined }));
}

it('lets imports point down only', () => {
  const wrong = files.flatMap((file) =>
    importsOf(file)
      .filter(({ specifier }) => specifier.startsWith('.'))
      .map(({ specifier }) => relative(src, join(src, dirname(file), specifier)))
      .filter((target) => !sharedFiles.includes(target) && !['fs', roomOf(file)].includes(roomOf(target)))
      .filter((target) => !allowedImports[roomOf(file)]?.includes(roomOf(target)))
      .map((target) => `${file} imports ${target}`),
  );
  expect(wrong).toEqual([]);
});

it('keeps each big library in one room', () => {
  const wrong = files.flatMap((file) =>
    importsOf(file).flatMap(({ specifier }) => {
      const owner = Object.entries(packageOwners).find(
        ([name]) => specifier === name || specifier.startsWith(`${name}/`),
      )?.[1];
      return owner === undefined || roomOf(file) === owner || roomOf(file) === 'main'
        ? []
        : [`${file} imports ${specifier}`];
    }),
  );
  expect(wrong).toEqual([]);
});

it('reads the environment, arguments and signals in commands/ alone', () => {
  const readers = files.filter(
    (file) => roomOf(file) !== 'commands' && /process\.(env|argv|on|stdin|stdout|stderr|exit)\b/.test(codeOf(file)),
  );
  // docker-modem reads DOCKER_HOST by itself: engine/client/client.ts hides it for the moment of its construction.
  expect(readers.sort()).toEqual(['engine/client/client.ts', 'main.ts']);
});

it('never asks what time it is below commands/', () => {
  const readers = files.filter(
    (file) => roomOf(file) !== 'commands' && /Date\.now\(\)|new Date\(\)/.test(codeOf(file)),
  );
  expect(readers).toEqual([]);
});

it('reads files that others bring through fs/read-bounded.ts, which neither hangs nor fills the memory', () => {
  const opening = /\b(readFileSync|readFile|createReadStream|openSync|open|openAsBlob|readv?Sync)\b/;
  const importsOfFs = /import\s+(\*[^;]*?|\w+|\{[^}]*\})\s+from 'node:fs(?:\/promises)?'/g;
  const readers = files.filter((file) =>
    [...codeOf(file).matchAll(importsOfFs)].some(([, names = '']) => !names.startsWith('{') || opening.test(names)),
  );
  // Whoever adds a module here says in test/support/assert/architecture.ts why no repository can turn what it reads.
  expect(readers.sort()).toEqual(Object.keys(ownReaders).sort());
});

it('names temporaries by a mark of their writer, so that gbuild clean can tell whose they are', () => {
  const readers = files.filter((file) => /process\.pid|\bmkdtemp(Sync)?\(/.test(codeOf(file)));
  // Of a folder for a socket the name has to be short; the others make the marks.
  expect(readers.sort()).toEqual([
    'fs/process-owner.ts',
    'engine/endpoint/podman-service.ts',
    'fs/own-folder.ts',
    'fs/writer-mark.ts',
    'toolchain/build/work-dir.ts',
  ]);
});

/** Code that matches, by its file. */
function filesWith(pattern: RegExp): string[] {
  return files.filter((file) => pattern.test(codeOf(file))).sort();
}

it("writes to the caller's terminal in one file, which escapes what comes from elsewhere", () => {
  const writes =
    /\bconsole\.|\bstd(out|err)\??\.write\(|\bux\b|\bthis\.(warn|error|logToStderr)\(|writeSync\([12]\b|emitWarning/;
  // A shard's reporter writes its own lines, which it escapes, among the output of its tasks.
  expect(filesWith(writes)).toEqual(['commands/base/print.ts', 'actions/shards/run-shards.ts']);
});

it('hands the streams of the terminal only to what tasks print and to what draws on it', () => {
  const streams = /\bprocess\.std(out|err)\b(?!\.(isTTY|columns|rows|on)\b)/;
  const tasks = ['image', 'lock', 'task-command', 'verify'].map((name) => `commands/${name}.ts`);
  const drawing = ['base', 'doctor', 'print'].map((name) => `commands/${name}.ts`);
  expect(filesWith(streams)).toEqual([...tasks, ...drawing].sort());
});
