import semver from 'semver';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { connectEngine, type Engine } from '../../../src/engine/engine.ts';
import { readOwner } from '../../../src/fs/process-owner.ts';
import type { OptionValue } from '../../../src/spec/types.ts';
import { ensureRuntime } from '../../../src/toolchain/build/ensure.ts';
import { readCatalog } from '../../../src/toolchain/catalog/catalog.ts';

import { resolveToolchain } from '../../../src/toolchain/resolve/resolve.ts';
import { semverOf } from '../../../src/toolchain/resolve/versions.ts';
import { endpointOf } from '../../support/engines/endpoint-of.ts';
import { runScript } from '../../support/engines/run-script.ts';
import { gbuildCacheDir } from '../../support/runner/cache-dir.ts';
import { hostIn, neverStop, recordProgress } from '../../support/toolchains/host-in.ts';
import { images } from '../../support/toolchains/toolchain-catalog.ts';

const catalog = await readCatalog([images]);

/** The lines of a toolchain that the catalog has for this platform, oldest first. */
function linesOf(name: string): string[] {
  const versions = catalog.find(name)!.data.versions['linux/amd64']!;
  const lines = versions.map((version) => (version.includes('.') ? version : `${version}.0`));
  return [...new Set(lines.map((version) => (name === 'ruby' ? version : String(semver.major(semverOf(version))))))];
}

const jdksOf = (name: string) => catalog.find(name)!.data.options.jdk!.values!;

type Asked = [name: string, range: string, options: Record<string, OptionValue>];

const asked: Asked[] = [
  ...['node', 'jvm', 'ruby', 'jruby'].flatMap((name) => linesOf(name).map((line): Asked => [name, line, {}])),
  ...jdksOf('sbt').map((jdk): Asked => ['sbt', '*', { jdk }]),
];

let engine: Engine;
beforeAll(() => {
  engine = connectEngine(endpointOf(inject('engineHost')), { owner: readOwner(), runId: `starts-${process.pid}` });
});
afterAll(() => engine.close());

test('every toolchain of the catalog is walked', () => {
  expect(new Set(asked.map(([name]) => name))).toEqual(new Set(catalog.names));
  expect(asked.filter(([name]) => name === 'node').map(([, line]) => line)).toEqual(
    expect.arrayContaining(['18', '20', '22', '24', '25', '26']),
  );
});

test.each(asked)('the image to ship on of %s %s starts its program (%j)', async (name, range, options) => {
  const resolved = resolveToolchain({ kind: 'catalog', request: name, name, range, options }, catalog);
  const context = { engine, host: hostIn(gbuildCacheDir), progress: recordProgress(), stop: neverStop() };
  const runtime = await ensureRuntime(resolved, context);
  const start = catalog.find(name)!.data.starts;
  expect(start).not.toEqual([]);
  const command = start[0] === 'sh' ? start.at(-1)! : start.join(' ');
  expect(await runScript(engine, runtime.reference, `{ ${command}; } > /dev/null 2>&1 && echo started`)).toBe(
    'started\n',
  );
});
