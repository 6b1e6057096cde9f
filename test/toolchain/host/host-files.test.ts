import { join } from 'node:path';
import { createFixture } from 'fs-fixture';
import { expect, test } from 'vitest';
import { readCatalog } from '../../../src/toolchain/catalog/catalog.ts';
import { readHostFiles } from '../../../src/toolchain/host/host-files.ts';

const catalog = await readCatalog([join(import.meta.dirname, '../../../images')]);

async function read(name: string, files: Record<string, string>, env = {}): Promise<Record<string, string>> {
  await using home = await createFixture(files);
  const found = readHostFiles({ homeDir: home.path, env }, catalog.find(name)!.data.hostFiles);
  return Object.fromEntries(found.map(({ to, bytes }) => [to, bytes.toString()]));
}

test("of the caller's npm configuration only where packages come from, and who asks for them, is taken", async () => {
  const npmrc = [
    'registry=https://npm.example.org/',
    '@acme:registry = https://acme.example.org/npm/',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: npm's own way to name a variable
    '//npm.example.org/:_authToken=${NPM_TOKEN}',
    'prefix=/home/ada/.npm-global',
    'cafile=/home/ada/ca.pem',
    '; registry=https://old.example.org/',
  ];
  const [registry, acme] = npmrc;
  expect(await read('node', { '.npmrc': `${npmrc.join('\n')}\n` }, { NPM_TOKEN: 'secret' })).toEqual({
    '/home/gbuild/.npmrc': `${registry}\n${acme}\n//npm.example.org/:_authToken=secret\n`,
  });
  // Package managers refuse to run where a variable of a line is unset.
  expect(await read('node', { '.npmrc': `${npmrc.join('\n')}\n` })).toEqual({
    '/home/gbuild/.npmrc': `${registry}\n${acme}\n`,
  });
  expect(await read('node', { '.npmrc': 'prefix=/home/ada/.npm-global\n' })).toEqual({});
});

test("Maven's settings are taken as they are, and what is not there is left out", async () => {
  expect(await read('jvm', { '.m2/settings.xml': '<settings/>' })).toEqual({
    '/home/gbuild/.m2/settings.xml': '<settings/>',
  });
  expect(await read('jvm', {})).toEqual({});
});

test("of Bundler's configuration only mirrors and credentials are taken", async () => {
  const config = [
    '---',
    'BUNDLE_PATH: "/home/ada/gems"',
    'BUNDLE_MIRROR__ALL: "https://gems.example.org"',
    'BUNDLE_GEMS__EXAMPLE__ORG: "ada:secret"',
  ];
  expect(await read('ruby', { '.bundle/config': `${config.join('\n')}\n` })).toEqual({
    '/home/gbuild/.bundle/config': `${config[2]}\n${config[3]}\n`,
  });
});
