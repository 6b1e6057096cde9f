import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { zipSync } from 'fflate';
import { describe, expect, test } from 'vitest';
import { packLayer } from '../../src/oci/layer/layer.ts';
import type { Entry } from '../../src/oci/tar/entry.ts';
import { searchJson } from '../../src/secrets/search-json.ts';
import { searchLayer } from '../../src/secrets/search-layer.ts';
import { SecretSearch } from '../../src/secrets/secret-search.ts';
import { measureGrowth } from '../support/assert/growth.ts';

const value = 'hunter2/hunter2+';
const search = new SecretSearch([
  { name: 'TOKEN', value: Buffer.from(`${value}\n`) },
  { name: 'OTHER', value: Buffer.from('another-value') },
]);

const file = (path: string, content: string | Uint8Array): Entry => {
  const bytes = Buffer.from(content);
  return { path, type: 'file', executable: false, content: { bytes, size: bytes.length } };
};

async function searchFiles(files: Entry[], unpack = true): Promise<string[]> {
  const leaks = await searchLayer(packLayer(files, { createdBy: '' }), search, unpack);
  return leaks.map(({ secret, path }) => `${secret} in ${path}`);
}

describe('the search for leaks', () => {
  test('finds a value in a stream however it is cut, and says at which byte', () => {
    fc.assert(
      fc.property(fc.nat(3000), fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }), (at, sizes) => {
        const bytes = Buffer.from(`${'x'.repeat(at)}${value}${'y'.repeat(50)}`);
        const push = search.openStream();
        const offsets = new Set<number>();
        for (let from = 0, turn = 0; from < bytes.length; turn += 1) {
          const size = sizes[turn % sizes.length]!;
          for (const each of push(bytes.subarray(from, from + size))) offsets.add(each.offset);
          from += size;
        }
        expect([...offsets]).toEqual([at]);
      }),
    );
  });

  test('names the file of a layer, whatever form the value has in it', async () => {
    const files = [
      file('app/clean', 'nothing'),
      file('app/raw', `token=${value}`),
      file('app/base64', Buffer.from(`ab${value}`).toString('base64')),
      file('app/header', `Authorization: Basic ${Buffer.from(`me:${value}`).toString('base64')}`),
      file('app/url', `https://host/?token=${encodeURIComponent(value)}`),
      file('app/large', `${'-'.repeat(3 << 20)}another-value${'-'.repeat(1 << 20)}`),
      file('app/another-value', 'the name is it'),
      file('app/many', 'another-value'.repeat(20_000)),
    ];
    expect(await searchFiles(files)).toMatchInlineSnapshot(`
      [
        "OTHER in app/another-value",
        "TOKEN in app/base64",
        "TOKEN in app/header",
        "OTHER in app/large",
        "OTHER in app/many",
        "TOKEN in app/raw",
        "TOKEN in app/url",
      ]
    `);
  });

  test('finds a key whose lines are indented, and takes no line that others have for one', async () => {
    const lines = [
      '-----BEGIN PRIVATE KEY-----',
      'MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQ',
      '-----END KEY-----',
    ];
    const key = new SecretSearch([{ name: 'KEY', value: Buffer.from(lines.join('\n')) }]);
    expect(key.findIn(Buffer.from(`tls.key: |\n${lines.map((line) => `  ${line}\n`).join('')}`))).toEqual(['KEY']);
    expect(key.findIn(Buffer.from(`${lines[0]}\nanother key\n${lines[2]}\n`))).toEqual([]);
  });

  test('looks into jars, zips and gzip, and into those inside of them', async () => {
    const text = Buffer.from(`password=${value}`);
    const jar = zipSync({ 'application.properties': text, 'clean.class': Buffer.from('clean') });
    const files = [
      file('app/lib.jar', jar),
      file('app/boot.jar', zipSync({ 'BOOT-INF/lib/lib.jar': jar })),
      file('app/notes.gz', gzipSync(text)),
      file('app/broken.gz', Buffer.concat([gzipSync('clean').subarray(0, 12), text])),
    ];
    expect(await searchFiles(files)).toMatchInlineSnapshot(`
      [
        "TOKEN in app/boot.jar!/BOOT-INF/lib/lib.jar!/application.properties",
        "TOKEN in app/broken.gz",
        "TOKEN in app/lib.jar!/application.properties",
        "TOKEN in app/notes.gz (unpacked)",
      ]
    `);
    expect(await searchFiles(files.slice(0, 3), false)).toEqual([]);
  });

  test('finds nothing where nothing is', async () => {
    expect(await searchFiles([file('a', 'hunter2'), file('b', 'another value')])).toEqual([]);
    expect(await searchFiles([])).toEqual([]);
  });

  test('names the key of a config', () => {
    const config = {
      config: { Env: ['PATH=/bin', `TOKEN=${value}`], Labels: { 'a.b': `x${value}`, [`k-${value}`]: '' } },
      history: [{ created_by: `RUN curl -u me:${value}` }, { created_by: null }],
    };
    expect(searchJson(config, 'config', search).map(({ place }) => place)).toMatchInlineSnapshot(`
      [
        "config.config.Env[1] (TOKEN)",
        "config.config.Labels["a.b"]",
        "a key of config.config.Labels",
        "config.history[0].created_by",
      ]
    `);
  });

  test('takes time as the bytes do', () => {
    const bytes = Buffer.alloc(64 << 20, 'some text of a program, and its hunter, and more\n');
    const read = (size: number) => expect(search.openStream()(bytes.subarray(0, size))).toEqual([]);
    expect(measureGrowth(read, bytes.length, 8)).toBeLessThan(24);
  });
});
