import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import {
  actionImports,
  allowedImports,
  looksIntoFacts,
  ownReaders,
  packageOwners,
  sharedFiles,
} from './support/assert/architecture.ts';
import { findCycles } from './support/assert/cycles.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const src = join(root, 'src');

const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));

/** The first folder of a path, or the name of a file that lies in none. */
function roomOf(file: string): string {
  return file.includes('/') ? file.split('/')[0]! : file.replace(/\.ts$/, '');
}

/** A source without its comment lines. */
function codeOf(file: string): string {
  return readFileSync(join(src, file), 'utf8').replaceAll(/^\s*(\/\*)?\*.*$|^\s*\/\/.*$/gm, '');
}

/** What a file imports and exports from, types and what is loaded later included. */
function importsOf(file: string): string[] {
  const text = readFileSync(join(src, file), 'utf8');
  const found = text.matchAll(/^(?:import|export)\s[^;]*?from '([^']+)'|import\('([^']+)'\)/gm);
  return [...found].map((match) => match[1] ?? match[2]!);
}

/** Files of src/ that each file imports. */
const imports = new Map(
  files.map((file) => {
    const own = importsOf(file).filter((specifier) => specifier.startsWith('.'));
    return [file, own.map((specifier) => relative(src, join(src, dirname(file), specifier)))];
  }),
);

/** Each import of one file by another. */
const arrows = [...imports].flatMap(([from, targets]) => targets.map((to) => ({ from, to })));

it('lets a room import only the rooms below it', () => {
  const wrong = arrows.filter(
    ({ from, to }) =>
      !sharedFiles.includes(to) &&
      !['fs', roomOf(from)].includes(roomOf(to)) &&
      !allowedImports[roomOf(from)]?.includes(roomOf(to)),
  );
  expect(wrong.map(({ from, to }) => `${from} imports ${to}`)).toEqual([]);
});

it('lets a folder of actions import only the folders below it', () => {
  const folderOf = (file: string) => dirname(relative('actions', file));
  const inside = arrows.filter(({ from, to }) => roomOf(from) === 'actions' && roomOf(to) === 'actions');
  const wrong = inside.filter(
    ({ from, to }) => folderOf(from) !== folderOf(to) && !actionImports[folderOf(from)]?.includes(folderOf(to)),
  );
  expect(wrong.map(({ from, to }) => `${from} imports ${to}`)).toEqual([]);
});

it('has a row in the table for each folder of actions, below all that may import it', () => {
  const there = files.filter((file) => roomOf(file) === 'actions').map((file) => dirname(relative('actions', file)));
  const rows = Object.keys(actionImports);
  expect([...rows].sort()).toEqual([...new Set(there)].sort());
  const upward = Object.entries(actionImports).flatMap(([row, below]) =>
    below.filter((each) => rows.indexOf(each) >= rows.indexOf(row)).map((each) => `${row} -> ${each}`),
  );
  expect(upward).toEqual([]);
});

it('has no cycle of folders', () => {
  const between = arrows
    .map(({ from, to }) => [dirname(from), dirname(to)] as const)
    .filter(([from, to]) => from !== to && from !== '.' && to !== '.');
  expect(findCycles(between)).toEqual([]);
});

it('has no cycle of files, types and what is loaded later included', () => {
  expect(findCycles(arrows.map(({ from, to }) => [from, to]))).toEqual([]);
});

it('gives an exported name one meaning', () => {
  const declaration =
    /^export (?:default )?(?:abstract )?(?:async )?(?:function\*?|class|const|interface|type|enum) (\w+)/gm;
  const exported = files.flatMap((file) => [...codeOf(file).matchAll(declaration)].map(([, name]) => ({ name, file })));
  const byName = Map.groupBy(exported, ({ name }) => name!);
  const twice = [...byName].filter(([, exports]) => new Set(exports.map(({ file }) => file)).size > 1);
  expect(twice.map(([name]) => name)).toEqual([]);
});

/** Folders of src/ and test/ by path, with the names of what lies in each. */
const folders = new Map(
  ['src', 'test'].flatMap((top) => {
    const below = readdirSync(join(root, top), { recursive: true, withFileTypes: true });
    const found = below.filter((entry) => entry.isDirectory()).map((entry) => join(entry.parentPath, entry.name));
    return [join(root, top), ...found].map((folder) => [relative(root, folder), readdirSync(folder)] as const);
  }),
);

it('has at most 20 files in a folder', () => {
  const counts = [...folders].map(([folder, names]) => [folder, names.filter((name) => name.endsWith('.ts')).length]);
  expect(counts.filter(([, count]) => Number(count) > 20)).toEqual([]);
});

it('says in a README.md of each folder what it is for', () => {
  expect([...folders].filter(([, names]) => !names.includes('README.md')).map(([folder]) => folder)).toEqual([]);
});

it('names in these pages only files and folders that are there', () => {
  const wrong = [...folders].flatMap(([folder, names]) => {
    const page = names.includes('README.md') ? readFileSync(join(root, folder, 'README.md'), 'utf8') : '';
    const named = [...page.matchAll(/`([\w./-]+(?:\.ts|\/))`/g)].map((match) => match[1]!);
    return named.filter((path) => !isThere(folder, path)).map((path) => `${folder}/README.md: ${path}`);
  });
  expect(wrong).toEqual([]);
});

/** Whether a page's path leads somewhere: from its own folder, from src/ or from the top. */
function isThere(folder: string, path: string): boolean {
  return [join(root, folder), src, root].some((from) => {
    const place = relative(root, join(from, path)).replace(/\/$/, '');
    return folders.has(place) || folders.get(dirname(place))?.includes(place.slice(dirname(place).length + 1)) === true;
  });
}

it('keeps each big library in one room', () => {
  const wrong = files.flatMap((file) =>
    importsOf(file).flatMap((specifier) => {
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

/** Code that matches, by its file. */
function filesWith(pattern: RegExp): string[] {
  return files.filter((file) => pattern.test(codeOf(file))).sort();
}

it('turns JSON into a manifest, an index or a config in one place, and names of images in files in another', () => {
  const casts = /\bas (unknown as )?(Partial<)?(Manifest|ImageConfig|Index)\b|<(Manifest|ImageConfig|Index)>\(/;
  // The index.json of a layout has a reader of its own, which checks the seal of each entry.
  expect(filesWith(casts)).toEqual(['oci/image/documents.ts', 'oci/layout/layout-index.ts']);
  expect(filesWith(/\boci\|docker-archive\)|startsWith\('(oci|docker-archive):/)).toEqual(['oci/reference.ts']);
});

it('tells failures apart by code and class, never by their facts, their exit code or how a code is spelled', () => {
  const ofErrors = filesWith(/Error\b|\bthrown\b|\bcatch \(/);
  // The one that prints them leaves them out where there are none.
  expect(filesWith(looksIntoFacts).filter((file) => ofErrors.includes(file))).toEqual([
    'commands/base/report-error.ts',
  ]);
  expect(filesWith(/\.code\.(startsWith|endsWith|includes|match)\(|\bexitCode [!=]== 3\b/)).toEqual(['errors.ts']);
});

it('reads the environment, arguments and signals in commands/ alone', () => {
  const readers = filesWith(/process\.(env|argv|on|stdin|stdout|stderr|exit)\b/);
  // docker-modem reads DOCKER_HOST by itself: engine/client/client.ts hides it for the moment of its construction.
  expect(readers.filter((file) => roomOf(file) !== 'commands')).toEqual(['engine/client/client.ts', 'main.ts']);
});

it('never asks what time it is below commands/', () => {
  const readers = filesWith(/Date\.now\(\)|new Date\(\)/);
  expect(readers.filter((file) => roomOf(file) !== 'commands')).toEqual([]);
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
  // The name of a folder for a socket has to be short; the others make the marks.
  expect(filesWith(/process\.pid|\bmkdtemp(Sync)?\(/)).toEqual([
    'engine/endpoint/podman-service.ts',
    'fs/own-folder.ts',
    'fs/process-owner.ts',
    'fs/writer-mark.ts',
    'toolchain/build/work-dir.ts',
  ]);
});

it("writes to the caller's terminal in one file, which escapes what comes from elsewhere", () => {
  const writes =
    /\bconsole\.|\bstd(out|err)\??\.write\(|\bux\b|\bthis\.(warn|error|logToStderr)\(|writeSync\([12]\b|emitWarning/;
  // A shard's reporter writes its own lines, which it escapes, among the output of its tasks.
  expect(filesWith(writes)).toEqual(['actions/shards/run-shards.ts', 'commands/base/print.ts']);
});

it('hands the streams of the terminal only to what tasks print and to what draws on it', () => {
  const streams = /\bprocess\.std(out|err)\b(?!\.(isTTY|columns|rows|on)\b)/;
  const tasks = ['image', 'lock', 'base/task-command', 'verify'].map((name) => `commands/${name}.ts`);
  const drawing = ['base/base-command', 'doctor', 'base/print'].map((name) => `commands/${name}.ts`);
  expect(filesWith(streams)).toEqual([...tasks, ...drawing].sort());
});
