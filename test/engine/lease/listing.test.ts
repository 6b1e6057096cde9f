import { expect, test } from 'vitest';
import { ListingReader } from '../../../src/engine/lease/listing.ts';

const listing = Buffer.concat([
  Buffer.from('d 755 4096 1.5 10\0./d\0\0'),
  Buffer.from('f 4755 3 2.25 11\0./d/line\nbreak ünï\0\0'),
  Buffer.from('l 777 1 3.0 12\0./d/-link\0to nowhere\0'),
  Buffer.from('f 644 0 4.0 13\0./bad'),
  Buffer.from([0xff]),
  Buffer.from('\0\0p 644 0 5.0 14\0./pipe\0\0end 0\0\0\0'),
]);
const paths = [
  { path: 'd', kind: 'directory', mode: 0o755, size: 4096, fingerprint: '755', facts: 'd 755 4096 1.5 10' },
  {
    path: 'd/line\nbreak ünï',
    kind: 'file',
    mode: 0o755,
    size: 3,
    fingerprint: 'f 4755 3 2.25 11',
    facts: 'f 4755 3 2.25 11',
    setsId: true,
  },
  {
    path: 'd/-link',
    kind: 'symlink',
    mode: 0o777,
    size: 1,
    fingerprint: 'to nowhere',
    facts: 'l 777 1 3.0 12',
    target: 'to nowhere',
  },
  { path: 'bad\ufffd', kind: 'other', mode: 0o644, size: 0, fingerprint: 'f 644 0 4.0 13', facts: 'f 644 0 4.0 13' },
  { path: 'pipe', kind: 'other', mode: 0o644, size: 0, fingerprint: 'p 644 0 5.0 14', facts: 'p 644 0 5.0 14' },
];

test('a listing is read whatever its pieces are, to its end', () => {
  for (const size of [1, 2, 3, 7, 50, listing.length]) {
    const reader = new ListingReader();
    const ends: (string | undefined)[] = [];
    for (let at = 0; at < listing.length; at += size) ends.push(reader.read(listing.subarray(at, at + size)));
    expect([reader.take(), ends.filter((end) => end !== undefined)]).toEqual([paths, ['0']]);
  }
});

test('two listings in one are told apart, and the volume itself is the path of nothing', () => {
  const both = Buffer.from('d 755 0 1.5 10\0.\0\0below\0\0\0f 644 0 1.5 11\0./f\0\0end 0 5.5 6.5\0\0\0');
  for (const size of [1, 3, both.length]) {
    const reader = new ListingReader();
    const ends: (string | undefined)[] = [];
    for (let at = 0; at < both.length; at += size) ends.push(reader.read(both.subarray(at, at + size)));
    const names = [reader.takeAbove(), reader.take()].map((listed) => listed.map(({ path }) => path));
    expect([names, ends.find((end) => end !== undefined)]).toEqual([[[''], ['f']], '0 5.5 6.5']);
  }
});
