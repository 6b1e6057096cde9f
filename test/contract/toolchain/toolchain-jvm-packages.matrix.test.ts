import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { readAptSetup } from '../../../src/toolchain/build/apt-setup.ts';
import { readCatalog } from '../../../src/toolchain/catalog/catalog.ts';
import { resolveToolchain } from '../../../src/toolchain/resolve/resolve.ts';
import { hostIn, neverStop } from '../../support/toolchains/host-in.ts';
import { images } from '../../support/toolchains/toolchain-catalog.ts';

const dir = mkdtempSync(join(tmpdir(), 'gbuild-apt-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** apt with lists of the test's own: what this machine has installed and knows does not matter. */
function runApt(program: string, ...args: string[]): string {
  const settings = [
    `Dir::Etc::SourceList=${dir}/sources.list`,
    'Dir::Etc::SourceParts=/dev/null',
    `Dir::State::Lists=${dir}/lists`,
    `Dir::Cache=${dir}/cache`,
    'APT::Sandbox::User=root',
    'Acquire::Languages=none',
  ];
  return execFileSync(program, [...settings.flatMap((each) => ['-o', each]), ...args], { encoding: 'utf8' });
}

test('every JDK that the catalog has is in the Debian suite that it stands on', { timeout: 300_000 }, async () => {
  const catalog = await readCatalog([images]);
  const wanted = catalog.find('jvm')!.data.versions['linux/amd64']!.map((version) => {
    const request = { kind: 'catalog', request: 'jvm', name: 'jvm', range: version, options: {} } as const;
    const { source } = resolveToolchain(request, catalog);
    if (source.kind !== 'catalog') throw new Error('the JVM is of the catalog');
    return { suite: source.suite, names: [`openjdk-${source.args.JDK}-jdk-headless`, ...source.runtimePackages] };
  });
  const context = { host: hostIn(dir), stop: neverStop() };
  const suites = [...new Set(wanted.map(({ suite }) => suite))];
  const setups = await Promise.all(suites.map((suite) => readAptSetup(suite, context)));
  const sources = setups.flatMap((setup) => setup.sources.filter((line) => !/-(security|updates) main$/.test(line)));
  for (const folder of ['lists/partial', 'cache/archives/partial']) mkdirSync(join(dir, folder), { recursive: true });
  writeFileSync(
    join(dir, 'sources.list'),
    sources.map((line) => line.replace('deb ', 'deb [trusted=yes] ')).join('\n'),
  );
  runApt('apt-get', '-qq', 'update');
  const known = runApt('apt-cache', 'madison', ...wanted.flatMap(({ names }) => names));
  const missing = wanted.flatMap(({ suite, names }) =>
    names.filter((name) => !new RegExp(`^ *${name} \\|.* ${suite}/main `, 'm').test(known)),
  );
  expect(missing, known).toEqual([]);
});
