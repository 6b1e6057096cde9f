import { collectPackages } from '../../../src/attest/packages/collect-packages.ts';
import type { SbomInput } from '../../../src/attest/sbom/sbom.ts';
import { digestOf } from '../../../src/oci/digest.ts';
import { imageOf, zipOf } from '../packages/image-of.ts';

const image = imageOf(
  {
    'usr/lib/os-release': 'ID=debian\nVERSION_ID="12"\n',
    'var/lib/dpkg/status':
      'Package: libgcc-s1\nStatus: install ok installed\nArchitecture: amd64\nSource: gcc-12 (12.1)\nVersion: 12.2',
    'usr/share/doc/libgcc-s1/copyright':
      'Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n\nFiles: *\nLicense: GPL-3+ with GCC exception and odd-terms\n',
  },
  {
    'app/node_modules/@acme/tool/package.json': '{"name":"@acme/tool","version":"1.0.0+build","license":"MIT"}',
    'app/node_modules/tool/package.json': '{"name":"tool","version":"1.0.0"}',
    'app/lib/org.acme.core_2.13-1.0.jar': zipOf({ 'META-INF/MANIFEST.MF': 'Manifest-Version: 1.0\n' }),
    'app/vendor/bundle/ruby/3.1.0/specifications/rack-2.2.6.gemspec': 's.licenses = ["MIT"]\n',
  },
);

/** An image of packages of every kind, one of them with a licence that is on no list. */
export async function makeSbomInput(): Promise<SbomInput> {
  return {
    image: {
      name: 'registry.example/acme/hello',
      version: '1.0.1',
      digest: digestOf(Buffer.from('m')),
      architecture: 'amd64',
    },
    base: { reference: 'gbuild/node:22.1.0-runtime', digest: digestOf(Buffer.from('base')) },
    packages: await collectPackages(image),
    created: '2024-05-06T07:08:09Z',
    toolVersion: '0.1.0',
  };
}
