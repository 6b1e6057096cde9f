import parse from 'spdx-expression-parse';
import { describe, expect, it } from 'vitest';
import { parseCopyright } from '../../../src/attest/packages/copyright.ts';
import { joinLicences, readLicence } from '../../../src/attest/packages/licence.ts';

describe('readLicence', () => {
  it.each([
    ['MIT', 'MIT'],
    ['mit', 'MIT'],
    ['(MIT OR Apache-2.0)', '(MIT OR Apache-2.0)'],
    ['apache-2.0 or gpl-2.0-only', 'Apache-2.0 OR GPL-2.0-only'],
    ['The Apache Software License, Version 2.0', 'Apache-2.0'],
    ['https://www.apache.org/licenses/LICENSE-2.0.txt', 'Apache-2.0'],
    ['Eclipse Public License - v 2.0', 'EPL-2.0'],
    ['Eclipse Public License 1.0', 'EPL-1.0'],
    ['The MIT License (MIT)', 'MIT'],
    ['New BSD License', 'BSD-3-Clause'],
    ['BSD', 'LicenseRef-BSD'],
    ['Our terms, 2nd edition', 'LicenseRef-Our-terms-2nd-edition'],
    ['LicenseRef-acme', 'LicenseRef-acme'],
    ['SEE LICENSE IN LICENSE.md', undefined],
    ['UNLICENSED', undefined],
    ['', undefined],
    ['word '.repeat(30), undefined],
  ])('%j is %s', (text, expected) => {
    const found = readLicence(text);
    expect(found).toBe(expected);
    if (found !== undefined) parse(found);
  });
});

it('joins licences sorted, each once, without losing who may choose', () => {
  expect(joinLicences(['MIT', 'Apache-2.0 OR GPL-2.0-only', 'MIT'], 'AND')).toBe(
    '(Apache-2.0 OR GPL-2.0-only) AND MIT',
  );
  expect(joinLicences(['MIT AND ISC', 'ISC'], 'AND')).toBe('ISC AND MIT');
  expect(joinLicences(['MIT AND ISC', 'ISC'], 'OR')).toBe('ISC OR (MIT AND ISC)');
  expect(joinLicences([], 'OR')).toBeUndefined();
});

describe('parseCopyright', () => {
  const format = 'Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n';
  const ofFiles = (...licences: string[]) =>
    parseCopyright(`${format}\n${licences.map((each) => `Files: *\nLicense: ${each}\n Some text.\n`).join('\n')}`);

  it.each([
    ['GPL-2+', 'GPL-2.0-or-later'],
    ['LGPL-2.1', 'LGPL-2.1-only'],
    ['Expat', 'MIT'],
    ['GPL-1+ or Artistic', 'Artistic-1.0-Perl OR GPL-1.0-or-later'],
    ['GPL-2+ or Artistic-2.0, and BSD-3-clause', '(Artistic-2.0 OR GPL-2.0-or-later) AND BSD-3-Clause'],
    ['MPL-1.1 or GPL-2+ or LGPL-2.1+', 'GPL-2.0-or-later OR LGPL-2.1-or-later OR MPL-1.1'],
    ['GPL-3+ with Bison exception', 'GPL-3.0-or-later WITH Bison-exception-2.2'],
    ['GPL-2+ with Acme exception', 'LicenseRef-GPL-2-with-Acme-exception'],
    ['public-domain', 'LicenseRef-public-domain'],
  ])('%j is %s', (name, expected) => {
    expect(ofFiles(name)).toBe(expected);
    parse(expected);
  });

  it('joins those of all files, and passes over the paragraphs that hold texts', () => {
    expect(ofFiles('Zlib', 'GPL-2+', 'Zlib')).toBe('GPL-2.0-or-later AND Zlib');
    expect(parseCopyright(`${format}\nFiles: *\nLicense: Zlib\n\nLicense: GPL-2+\n Text.\n`)).toBe('Zlib');
  });

  it('guesses nothing of a file in prose', () => {
    expect(parseCopyright('This is free software.\n\nLicense: GPL-2\n')).toBeUndefined();
  });
});
