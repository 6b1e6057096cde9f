import { describe, expect, it } from 'vitest';
import { collectPackages } from '../../../src/attest/packages/collect-packages.ts';
import { extendImage, scratchImage } from '../../../src/oci/image/image.ts';
import { readImage, writeImage } from '../../../src/oci/layout/copy.ts';
import { openLayout } from '../../../src/oci/layout/layout.ts';
import { makeFolder } from '../../support/images/tree.ts';
import { foreignLayer, imageOf, summarise, zipOf } from './image-of.ts';

const osRelease = 'ID=debian\nVERSION_ID="12"\nVERSION_CODENAME=bookworm\n';
const status = [
  'Package: libc6\nStatus: install ok installed\nArchitecture: amd64\nSource: glibc\nVersion: 2.36-9+deb12u14',
  'Package: zlib1g\nStatus: install ok installed\nArchitecture: amd64\nSource: zlib (1:1.2.13)\nVersion: 1:1.2.13+b1',
  'Package: gone\nStatus: deinstall ok config-files\nArchitecture: amd64\nVersion: 1',
].join('\n\n');
const copyright =
  'Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n\nFiles: *\nLicense: Zlib\n';
const json = (value: object) => JSON.stringify(value);
const nodePackage = (name: string, version: string) => ({
  [`app/node_modules/${name}/package.json`]: json({ name, version, license: 'MIT' }),
});

describe('packages of Debian', () => {
  it('are those that dpkg says are installed, with their source, the distribution and their licences', async () => {
    const image = imageOf({
      'usr/lib/os-release': osRelease,
      'var/lib/dpkg/status': status,
      'usr/share/doc/zlib1g/copyright': copyright,
      'usr/share/doc/libc6/copyright': 'This is the Debian prepackaged version of the GNU C Library.\n',
    });
    expect(summarise(await collectPackages(image))).toMatchInlineSnapshot(`
      [
        "pkg:deb/debian/libc6@2.36-9%2Bdeb12u14?arch=amd64&distro=debian-12&upstream=glibc - var/lib/dpkg/status",
        "pkg:deb/debian/zlib1g@1:1.2.13%2Bb1?arch=amd64&distro=debian-12&upstream=zlib%401:1.2.13 Zlib var/lib/dpkg/status",
      ]
    `);
  });

  it('have the licences of the package whose documentation they link to', async () => {
    const file = (name: string, text: string) => ({ name, text });
    const layer = await foreignLayer([
      file('./var/lib/dpkg/status', status),
      { name: './usr/share/doc/zlib1g', type: 'symlink', linkname: 'zlib-base' },
      file('./usr/share/doc/zlib-base/copyright', copyright),
    ]);
    const packages = await collectPackages({ layers: [layer] });
    expect(packages.find(({ name }) => name === 'zlib1g')?.licence).toBe('Zlib');
  });

  it('are found in images without dpkg too', async () => {
    const image = imageOf({
      'var/lib/dpkg/status.d/tzdata': 'Package: tzdata\nVersion: 2026f\nArchitecture: all\n',
      'var/lib/dpkg/status.d/tzdata.md5sums': 'd41d8cd98f00b204e9800998ecf8427e usr/share/zoneinfo/UTC\n',
    });
    expect(summarise(await collectPackages(image))).toMatchInlineSnapshot(`
      [
        "pkg:deb/debian/tzdata@2026f?arch=all - var/lib/dpkg/status.d/tzdata",
      ]
    `);
  });
});

describe('packages of npm', () => {
  it('are those below node_modules, scoped and nested, and not what only marks a folder', async () => {
    const image = imageOf({
      'app/package.json': json({ name: 'own', version: '1.0.0' }),
      'app/node_modules/@acme/tool/package.json': json({ name: '@acme/tool', version: '2.0.0', license: 'Apache 2.0' }),
      'app/node_modules/@acme/tool/node_modules/old/package.json': json({
        name: 'old',
        version: '0.1.0',
        licenses: [{ type: 'MIT' }, { type: 'BSD-3-Clause' }],
      }),
      'app/node_modules/@acme/tool/dist/package.json': json({ type: 'commonjs' }),
      'app/node_modules/.pnpm/left@1.0.0/node_modules/left/package.json': json({ name: 'left', version: '1.0.0' }),
      'app/node_modules/odd/package.json': json({ name: 'odd', version: '1.0.0', license: 'SEE LICENSE IN LICENSE' }),
      'app/node_modules/broken/package.json': '{"name": "broken",',
    });
    expect(summarise(await collectPackages(image))).toMatchInlineSnapshot(`
      [
        "pkg:npm/%40acme/tool@2.0.0 Apache-2.0 app/node_modules/@acme/tool/package.json",
        "pkg:npm/left@1.0.0 - app/node_modules/.pnpm/left@1.0.0/node_modules/left/package.json",
        "pkg:npm/odd@1.0.0 - app/node_modules/odd/package.json",
        "pkg:npm/old@0.1.0 BSD-3-Clause OR MIT app/node_modules/@acme/tool/node_modules/old/package.json",
      ]
    `);
  });
});

describe('gems', () => {
  it('are read from gemspecs as text, default gems and those with a platform too', async () => {
    const image = imageOf({
      'app/vendor/bundle/ruby/3.1.0/specifications/nokogiri-1.16.0-x86_64-linux.gemspec':
        'Gem::Specification.new do |s|\n  s.name = "nokogiri".freeze\n  s.version = "1.16.0"\n  s.platform = "x86_64-linux".freeze\n  s.licenses = ["MIT".freeze]\nend\n',
      'usr/lib/ruby/gems/3.1.0/specifications/default/json-2.6.1.gemspec':
        'Gem::Specification.new do |spec|\n  spec.name = "json"\n  spec.version = JSON::VERSION\n  spec.licenses = ["Ruby", "BSD-2-Clause"]\nend\n',
    });
    expect(summarise(await collectPackages(image))).toMatchInlineSnapshot(`
      [
        "pkg:gem/json@2.6.1 BSD-2-Clause OR Ruby usr/lib/ruby/gems/3.1.0/specifications/default/json-2.6.1.gemspec",
        "pkg:gem/nokogiri@1.16.0?platform=x86_64-linux MIT app/vendor/bundle/ruby/3.1.0/specifications/nokogiri-1.16.0-x86_64-linux.gemspec",
      ]
    `);
  });
});

describe('the runtime of Node', () => {
  it('is told by the address of its sources that the program carries, also across two chunks', async () => {
    const mark = 'https://nodejs.org/download/release/v24.21.0/node-v24.21.0-headers.tar.gz';
    const headers = 4 * 512;
    const before = (1 << 20) - headers - 40;
    const image = imageOf({ 'usr/local/bin/node': `${'\0'.repeat(before)}${mark}${'\0'.repeat(5000)}` });
    expect(summarise(await collectPackages(image))).toEqual(['pkg:generic/node@24.21.0 MIT usr/local/bin/node']);
  });
});

describe('layers', () => {
  it('hide what they overwrite and what they take away', async () => {
    const image = imageOf(
      { ...nodePackage('kept', '1.0.0'), ...nodePackage('moved', '1.0.0'), ...nodePackage('removed', '1.0.0') },
      { ...nodePackage('moved', '2.0.0'), 'app/node_modules/removed': null },
    );
    const packages = await collectPackages(image);
    expect(packages.map(({ purl }) => purl)).toEqual(['pkg:npm/kept@1.0.0', 'pkg:npm/moved@2.0.0']);
    expect(packages.map(({ layer }) => layer)).toEqual(image.layers.map(({ diffId }) => diffId));
  });

  it('may take a folder away and bring another of the same name', async () => {
    const [lower] = imageOf({ ...nodePackage('old', '1.0.0') }).layers;
    const upper = await foreignLayer([
      { name: 'app/node_modules/new/package.json', text: json({ name: 'new', version: '1.0.0' }) },
      { name: 'app/node_modules/.wh..wh..opq', text: '' },
    ]);
    const packages = await collectPackages({ layers: [lower!, upper] });
    expect(packages.map(({ purl }) => purl)).toEqual(['pkg:npm/new@1.0.0']);
  });

  it('may put a link where a folder was', async () => {
    const [lower] = imageOf({ ...nodePackage('old', '1.0.0') }).layers;
    const upper = await foreignLayer([{ name: './app/node_modules', type: 'symlink', linkname: '/elsewhere' }]);
    expect(await collectPackages({ layers: [lower!, upper] })).toEqual([]);
  });

  it('may hold a file twice by a hard link', async () => {
    const layer = await foreignLayer([
      { name: './a/node_modules/one/package.json', text: json({ name: 'one', version: '1.0.0' }) },
      { name: './b/node_modules/one/package.json', type: 'link', linkname: './a/node_modules/one/package.json' },
    ]);
    expect(summarise(await collectPackages({ layers: [layer] }))).toEqual([
      'pkg:npm/one@1.0.0 - a/node_modules/one/package.json b/node_modules/one/package.json',
    ]);
  });

  it('give the same packages from a store on disk as from memory', async () => {
    await using folder = await makeFolder();
    const jar = zipOf({ 'META-INF/maven/g/a/pom.properties': 'groupId=g\nartifactId=a\nversion=1\n' });
    const { layers } = imageOf({ ...nodePackage('one', '1.0.0'), 'app/a-1.jar': jar });
    const image = extendImage(scratchImage({ architecture: 'amd64', os: 'linux' }), layers, {
      created: '2024-05-06T07:08:09Z',
    });
    const layout = await openLayout(folder.getPath('store'));
    await writeImage(layout, image);
    const stored = await readImage(layout, image.manifestDigest);
    expect(stored.layers[0]!.hostFile).toBeDefined();
    const packages = await collectPackages(stored);
    expect(packages.map(({ purl }) => purl)).toEqual(['pkg:maven/g/a@1', 'pkg:npm/one@1.0.0']);
    expect(packages).toEqual(await collectPackages(image));
  });
});
