import { join } from 'node:path';
import { Spec, Validation } from '@cyclonedx/cyclonedx-library';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { collectPackages } from '../../../src/attest/packages/collect-packages.ts';
import type { Package } from '../../../src/attest/packages/package.ts';
import { formatCycloneDx } from '../../../src/attest/sbom/cyclonedx.ts';
import type { Image } from '../../../src/oci/image/image.ts';
import { readImage } from '../../../src/oci/layout/copy.ts';
import { openLayout } from '../../../src/oci/layout/layout.ts';
import { copyOf, openCli } from '../../support/cli/cli.ts';
import { removeRepository } from '../../support/engines/engine-images.ts';

const engine = inject('engineHost');
const name = `contract-sbom-${process.pid}`;
const cli = openCli({ engine });
let image: Image;
let packages: Package[];

beforeAll(async () => {
  const rootDir = join(cli.dir, 'hello');
  copyOf('examples/node-hello', rootDir, name);
  const layout = join(cli.dir, 'layout');
  const { exitCode, stderr } = await cli.run(['image', '--output', `oci:${layout}`], { cwd: rootDir });
  expect(exitCode, stderr).toBe(0);
  const store = await openLayout(layout);
  image = await readImage(store, (await store.readIndex()).manifests[0]!.digest);
  packages = await collectPackages(image);
});
afterAll(async () => {
  await removeRepository(engine, name);
  cli[Symbol.dispose]();
});

const find = (wanted: string) => packages.filter(({ purl }) => purl.startsWith(wanted));

test('the packages of an image of Node are those of production, the base’s and Node itself', () => {
  expect(packages.filter(({ type }) => type === 'npm').map(({ purl, licence }) => [purl, licence])).toEqual([
    ['pkg:npm/ms@2.1.3', 'MIT'],
  ]);
  expect(find('pkg:generic/node@22.').map(({ paths }) => paths)).toEqual([['usr/local/bin/node']]);
  expect(find('pkg:deb/debian/zlib1g@')).toMatchObject([{ licence: 'Zlib', qualifiers: { distro: 'debian-12' } }]);
  expect(packages.filter(({ type }) => type === 'deb').length).toBeGreaterThan(15);
});

test('each package is of the layer that brought it: ours lie on the base’s', () => {
  const place = (wanted: string) => image.config.rootfs.diff_ids.indexOf(find(wanted)[0]!.layer);
  expect(place('pkg:deb/debian/zlib1g@')).toBeGreaterThanOrEqual(0);
  expect(place('pkg:npm/ms@')).toBeGreaterThan(place('pkg:generic/node@'));
});

test('the bill of materials of a whole image is valid', async () => {
  const about = { name, digest: image.manifestDigest, architecture: image.config.architecture };
  const text = formatCycloneDx({ image: about, packages, created: image.config.created!, toolVersion: '0.1.0' });
  const validator = new Validation.JsonStrictValidator(Spec.Version.v1dot6);
  expect(await validator.validate(text.toString())).toBeNull();
});
