import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { connectEngine, type Engine } from '../../../src/engine/engine.ts';
import { readOwner } from '../../../src/fs/process-owner.ts';
import { ensureRuntime } from '../../../src/toolchain/build/ensure.ts';
import { readCatalog } from '../../../src/toolchain/catalog/catalog.ts';
import { resolveToolchain } from '../../../src/toolchain/resolve/resolve.ts';
import { errorOf } from '../../support/assert/error-of.ts';
import { endpointOf } from '../../support/engines/endpoint-of.ts';
import { runScript } from '../../support/engines/run-script.ts';
import { gbuildCacheDir } from '../../support/runner/cache-dir.ts';
import { hostIn, neverStop, recordProgress } from '../../support/toolchains/host-in.ts';
import { images, TestCatalogs } from '../../support/toolchains/toolchain-catalog.ts';

const catalogs = new TestCatalogs(inject('baseImage'));
let engine: Engine;

const context = () => ({ engine, host: hostIn(gbuildCacheDir), progress: recordProgress(), stop: neverStop() });
const newest = { kind: 'catalog', request: 'node@^26', name: 'node', range: '^26', options: {} } as const;

beforeAll(() => {
  engine = connectEngine(endpointOf(inject('engineHost')), { owner: readOwner(), runId: `starts-${process.pid}` });
});
afterAll(async () => {
  await catalogs.remove(engine);
  engine.close();
});

test('the newest Node starts in the image to ship on', async () => {
  const runtime = await ensureRuntime(resolveToolchain(newest, await readCatalog([images])), context());
  expect(await runScript(engine, runtime.reference, 'node --version')).toMatch(/^v26\.\d+\.\d+\n$/);
});

test('an image to ship on whose program does not start is not made', async () => {
  const withoutLibrary = (text: string) => text.replace("runtimePackages: [{ '>=25': libatomic1 }]", '');
  const hostDir = catalogs.write('without-library', { 'node/toolchain.yml': withoutLibrary });
  const resolved = await catalogs.resolve(hostDir, newest);
  const error = await errorOf(() => ensureRuntime(resolved, context()));
  expect({ ...error, message: error.message.replace(resolved.version, 'VERSION') }).toMatchInlineSnapshot(`
    {
      "code": "toolchain-failed",
      "message": "node VERSION, runtime: "node --version" cannot start in it (exit code 127)
      node: error while loading shared libraries: libatomic.so.1: cannot open shared object file: No such file or directory",
      "suggestions": [
        "name the Debian package that has what is missing under "runtimePackages" of toolchain.yml",
      ],
    }
  `);
  expect(await engine.inspectImage(resolved.runtime!)).toBeUndefined();
});
