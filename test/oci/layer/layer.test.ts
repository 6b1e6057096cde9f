import { execFileSync } from 'node:child_process';
import { appendFileSync, chmodSync, mkdirSync, rmSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { messageOf } from '../../../src/errors.ts';
import { digestOf } from '../../../src/oci/digest.ts';
import { constantTime, packLayer } from '../../../src/oci/layer/layer.ts';
import type { Entry } from '../../../src/oci/tar/entry.ts';
import {
  directory,
  file,
  goldenTree,
  makeFolder,
  readByTarStream,
  symlink,
  unpackBySystemTar,
} from '../../support/images/tree.ts';

const options = { createdBy: 'test' };

function hostEntry(path: string, hostFile: string, size: number): Entry {
  return { path, type: 'file', executable: false, content: { hostFile, size } };
}

describe('packLayer', () => {
  it('gives the golden tree the same digest for ever', () => {
    const { diffId, size } = packLayer(goldenTree, options);
    expect({ diffId, size }).toMatchInlineSnapshot(`
      {
        "diffId": "sha256:d35021e37790b5faf0903fa07d5bc93bc643a96c7c4d0dfbcd8ceb6e9b7f9803",
        "size": 10240,
      }
    `);
  });

  it('writes exactly the bytes that it hashed', () => {
    const layer = packLayer(goldenTree, options);
    const bytes = Buffer.concat([...layer.chunks()]);
    expect(digestOf(bytes)).toBe(layer.diffId);
    expect(bytes.length).toBe(layer.size);
  });

  it('is read alike by tar-stream, with one owner, mode and time', async () => {
    const entries = await readByTarStream(packLayer(goldenTree, options).chunks());
    expect(entries.every((entry) => entry.uid === 0 && entry.mtime === constantTime)).toBe(true);
    expect(
      entries.map(({ path, type, mode, text, link }) => [path, type, mode.toString(8), text, link]),
    ).toMatchInlineSnapshot(`
      [
        [
          "app/",
          "directory",
          "755",
          "",
          null,
        ],
        [
          "app/bin/",
          "directory",
          "755",
          "",
          null,
        ],
        [
          "app/bin/start",
          "file",
          "755",
          "#!/bin/sh
      exec node server.js
      ",
          null,
        ],
        [
          "app/current",
          "symlink",
          "777",
          "",
          "bin/start",
        ],
        [
          "app/dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd/",
          "directory",
          "755",
          "",
          null,
        ],
        [
          "app/dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd/ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
          "file",
          "644",
          "long
      ",
          null,
        ],
        [
          "app/empty/",
          "directory",
          "755",
          "",
          null,
        ],
        [
          "app/grüße.txt",
          "file",
          "644",
          "grüße
      ",
          null,
        ],
        [
          "app/server.js",
          "file",
          "644",
          "console.log("hello");
      ",
          null,
        ],
        [
          "app/zero",
          "file",
          "644",
          "",
          null,
        ],
      ]
    `);
  });

  it('does not depend on the order of the entries', () => {
    const golden = packLayer(goldenTree, options).diffId;
    const shuffled = fc.shuffledSubarray(goldenTree, { minLength: goldenTree.length });
    fc.assert(
      fc.property(shuffled, (entries) => packLayer(entries, options).diffId === golden),
      { numRuns: 50 },
    );
  });

  it('does not depend on times, modes and umask of the files', async () => {
    await using folder = await makeFolder();
    const umask = process.umask();
    const pack = (name: string, time: number, mode: number) => {
      const hostFile = folder.getPath(name);
      writeFileSync(hostFile, 'same', { mode });
      utimesSync(hostFile, time, time);
      return packLayer([hostEntry('a', hostFile, 4)], options).diffId;
    };
    const random = fc.tuple(
      fc.integer({ min: 0, max: 2 ** 31 }),
      fc.constantFrom(0o400, 0o600, 0o644, 0o666),
      fc.constantFrom(0, 0o22, 0o77),
    );
    let count = 0;
    const property = fc.property(random, ([time, mode, mask]) => {
      process.umask(mask);
      return pack(`f${count++}`, time, mode) === pack(`f${count++}`, 0, 0o644);
    });
    try {
      fc.assert(property, { numRuns: 50 });
    } finally {
      process.umask(umask);
    }
  });

  it('keeps hostile names as they are, for tar-stream and for GNU tar', async () => {
    const names = [
      '-rf',
      'new\nline',
      `quo"te's`,
      'ünïcødé 🦀',
      'x'.repeat(250),
      'ü'.repeat(120),
      ' lead',
      'trail ',
      'back\\slash',
      '*?[a]',
      '$(touch x)',
    ];
    const entries = [
      ...names.map((name) => file(name, name)),
      ...names.map((name) => file(`in/${name}/${name}`, name)),
    ];
    const layer = packLayer([...entries, symlink('link', `to/${'é'.repeat(100)}`)], options);
    const expected = [...names, 'in', 'link', ...names.flatMap((name) => [`in/${name}`, `in/${name}/${name}`])].sort();
    const read = await readByTarStream(layer.chunks());
    expect(read.map(({ path }) => path.replace(/\/$/, '')).sort()).toEqual(expected);
    expect(read.filter(({ type }) => type === 'file').every(({ path, text }) => path.endsWith(text))).toBe(true);
    await using folder = await makeFolder();
    expect(unpackBySystemTar(layer.chunks(), folder.path)).toEqual(expected);
  });

  it('is read back with the same paths and contents whatever they are', async () => {
    const name = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 60 }).filter(isName);
    const tree = fc.uniqueArray(fc.tuple(name, name, fc.string()), { selector: ([top]) => top, maxLength: 8 });
    const property = fc.asyncProperty(tree, async (files) => {
      const layer = packLayer(
        files.map(([top, below, text]) => file(`${top}/${below}`, text)),
        options,
      );
      const read = await readByTarStream(layer.chunks());
      const found = read.filter(({ type }) => type === 'file').map(({ path, text }) => [path, text]);
      const given = files.map(([top, below, text]) => [`${top}/${below}`, text]);
      expect(found.sort()).toEqual(given.sort());
    });
    await fc.assert(property, { numRuns: 100 });
  });

  it('sorts by the bytes of the path, not by UTF-16', async () => {
    const entries = await readByTarStream(packLayer([file('\u{1f980}', ''), file('\ufb00', '')], options).chunks());
    expect(entries.map(({ path }) => path)).toEqual(['\ufb00', '\u{1f980}']);
  });

  it('adds missing parents and merges folders that are given twice', async () => {
    const layer = packLayer([file('a/b/c', ''), directory('a'), directory('a')], options);
    expect((await readByTarStream(layer.chunks())).map(({ path }) => path)).toEqual(['a/', 'a/b/', 'a/b/c']);
  });

  it('refuses entries that no layer can hold, naming them', () => {
    const refused = [
      [file('a', '1'), file('a', '2')],
      [file('a', '1'), directory('a')],
      [symlink('a', 'b'), file('a/c', '1')],
      [file('../a', '1')],
      [file('/a', '1')],
      [file('a//b', '1')],
      [file('a/', '1')],
      [file('', '1')],
      [file('a/.wh.b', '1')],
    ];
    expect(refused.map((entries) => messageOfThrow(() => packLayer(entries, options)))).toMatchInlineSnapshot(`
      [
        "two entries of one image layer have the path "a"",
        "two entries of one image layer have the path "a"",
        ""a/c" cannot be in an image layer: "a" is given too, and is not a folder",
        ""../a" cannot be in an image layer: expected a relative path without empty, "." or ".." parts",
        ""/a" cannot be in an image layer: expected a relative path without empty, "." or ".." parts",
        ""a//b" cannot be in an image layer: expected a relative path without empty, "." or ".." parts",
        ""a/" cannot be in an image layer: expected a relative path without empty, "." or ".." parts",
        """ cannot be in an image layer: expected a relative path without empty, "." or ".." parts",
        ""a/.wh.b" cannot be in an image layer: a name starting with .wh. means a deletion in an image layer (OCI layer.md, "Whiteouts")",
      ]
    `);
  });

  it('keeps names that only look special', () => {
    expect(() =>
      packLayer([file('..a', ''), file('a..', ''), file('...', ''), file('.whx', '')], options),
    ).not.toThrow();
  });
});

describe('a file that changes', () => {
  it.each<[string, (hostFile: string) => void]>([
    ['grew', (hostFile) => appendFileSync(hostFile, 'more')],
    ['shrank', (hostFile) => truncateSync(hostFile, 3)],
    ['vanished', (hostFile) => rmSync(hostFile)],
    ['was replaced', replaceByFolder],
    ['shrank', replaceByFifo],
  ])('is named when it %s before it is hashed', async (how, change) => {
    await using folder = await makeFolder();
    const hostFile = folder.getPath('file');
    for (const size of [10, 3 << 20, (1 << 20) - 512]) {
      writeFileSync(hostFile, Buffer.alloc(size));
      change(hostFile);
      expect(() => packLayer([hostEntry('a', hostFile, size)], options)).toThrowError(
        expect.objectContaining({
          code: 'workspace-changed',
          message: expect.stringContaining(`${JSON.stringify(hostFile)} ${how}`),
        }),
      );
      rmSync(hostFile, { recursive: true, force: true });
    }
  });

  it('is found when it is rewritten at the same length between hashing and sending', async () => {
    await using folder = await makeFolder();
    const hostFile = folder.getPath('file');
    writeFileSync(hostFile, 'one');
    const layer = packLayer([hostEntry('a', hostFile, 3)], options);
    writeFileSync(hostFile, 'two');
    expect(() => [...layer.chunks()]).toThrowError(
      expect.objectContaining({
        code: 'workspace-changed',
        facts: { expected: layer.diffId, found: expect.stringMatching(/^sha256:/) },
      }),
    );
  });

  it('is found before the last chunk has been handed out, so that a reader never sees a whole wrong tar', async () => {
    await using folder = await makeFolder();
    const hostFile = folder.getPath('file');
    writeFileSync(hostFile, Buffer.alloc(3 << 20));
    const layer = packLayer([hostEntry('a', hostFile, 3 << 20)], options);
    writeFileSync(hostFile, Buffer.alloc(3 << 20, 1));
    let sent = 0;
    expect(() => {
      for (const chunk of layer.chunks()) sent += chunk.length;
    }).toThrowError();
    expect(sent).toBeLessThan(layer.size);
  });

  it.skipIf(process.getuid?.() === 0)('says how to make an unreadable file readable', async () => {
    await using folder = await makeFolder();
    const hostFile = folder.getPath("it's");
    writeFileSync(hostFile, 'x');
    chmodSync(hostFile, 0);
    expect(() => packLayer([hostEntry('a', hostFile, 1)], options)).toThrowError(
      expect.objectContaining({ code: 'workspace-unreadable', suggestions: [expect.stringContaining('chmod u+r')] }),
    );
  });
});

describe('a large layer', () => {
  it('has the digest of a small one’s method, though a second thread hashes it', async () => {
    await using folder = await makeFolder();
    const hostFile = folder.getPath('large');
    writeFileSync(hostFile, '');
    truncateSync(hostFile, 300 << 20);
    const layer = packLayer([hostEntry('large', hostFile, 300 << 20), file('small', 'x')], options);
    const before = process.memoryUsage().rss;
    let size = 0;
    for (const chunk of layer.chunks()) size += chunk.length;
    expect(size).toBe(layer.size);
    // Less than the layer; other tests of this process have left a garbage collection to come.
    expect(process.memoryUsage().rss - before).toBeLessThan(200 << 20);
  });

  it('ends its second thread when a file fails it', async () => {
    await using folder = await makeFolder();
    const hostFile = folder.getPath('large');
    writeFileSync(hostFile, '');
    truncateSync(hostFile, 60 << 20);
    expect(() => packLayer([hostEntry('large', hostFile, 70 << 20)], options)).toThrowError(/shrank/);
  });
});

function isName(name: string): boolean {
  return (
    name !== '.' &&
    name !== '..' &&
    !/[/\0]/.test(name) &&
    !name.startsWith('.wh.') &&
    Buffer.from(name).toString() === name
  );
}

function messageOfThrow(act: () => void): string {
  try {
    act();
    return 'no error';
  } catch (cause) {
    return messageOf(cause);
  }
}

function replaceByFolder(hostFile: string): void {
  rmSync(hostFile);
  mkdirSync(hostFile);
}

function replaceByFifo(hostFile: string): void {
  rmSync(hostFile);
  execFileSync('mkfifo', [hostFile]);
}
