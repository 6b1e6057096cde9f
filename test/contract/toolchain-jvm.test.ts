import { execFileSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { connectEngine, type Engine } from '../../src/engine/engine.ts';
import { readOwner } from '../../src/engine/owner.ts';
import { readArchive } from '../../src/oci/read-archive.ts';
import { type EnsuredToolchain, ensureToolchain } from '../../src/toolchain/ensure.ts';
import { endpointOf } from '../support/endpoint-of.ts';
import { runScript } from '../support/run-script.ts';
import { listStaging, TestCatalogs } from '../support/toolchain-catalog.ts';
import { hostIn, neverStop, recordProgress } from '../support/toolchain-rim.ts';

// Nobody has this image, so the roots are made of Debian's packages: the whole way from nothing, twice.
const nobody = '127.0.0.1:1/gbuild-test/nobody-has-this:1';
const catalogs = new TestCatalogs(nobody);
let engine: Engine;

beforeAll(() => {
  engine = connectEngine(endpointOf(inject('engineHost')), { owner: readOwner(), runId: `jvm-${process.pid}` });
});
afterAll(async () => {
  await catalogs.remove(engine);
  engine.close();
});

/** A toolchain of a catalog in which only words are others: every step is done again. */
async function makeAnew(name: string, toolchain: 'jvm' | 'sbt', range: string) {
  const comment = (text: string) => `${text}# ${catalogs.nonce} ${name}\n`;
  const hostDir = catalogs.write(name, {
    'base/base.yml': (text) =>
      text.replaceAll(/debian:\w+-slim/g, nobody).replace('volatile:', `volatile:\n  - ${catalogs.nonce}-${name}`),
    'base/trim': comment,
    'base/helpers/install-packages': comment,
    'sbt/warm/build.sbt': (text) => `${text}// ${catalogs.nonce} ${name}\n`,
  });
  const request = { kind: 'catalog', request: toolchain, name: toolchain, range, options: {} } as const;
  const resolved = await catalogs.resolve(hostDir, request);
  const rim = { engine, host: hostIn(join(catalogs.hostDir, 'cache')), progress: recordProgress(), stop: neverStop() };
  return catalogs.rememberRoots(engine, () => ensureToolchain(resolved, { ...rim, role: 'both' }));
}

test('the JVM made twice from nothing is the same two images, keystores included', { timeout: 900_000 }, async () => {
  const [first, second] = [await makeAnew('one', 'jvm', '21'), await makeAnew('two', 'jvm', '21')];
  await expectSame(first, second);
  expect(await listStaging(engine)).toEqual([]);
  const tools =
    'for tool in java javac mvn git curl unzip jvm-stage; do command -v $tool > /dev/null || echo no $tool; done';
  expect(await runScript(engine, first.build.reference, tools)).toBe('');
  const none = 'for tool in apt dpkg javac mvn perl python3 curl git gcc; do command -v $tool; done; true';
  expect(await runScript(engine, first.runtime!.reference, none)).toBe('');
  const facts =
    'id -u; java -version 2>&1 | grep -c "openjdk version \\"21"; test -s /etc/ssl/certs/java/cacerts && echo roots';
  expect(await runScript(engine, first.runtime!.reference, facts)).toBe('65532\n1\nroots\n');
});

test('so is sbt, with what it has compiled for itself, on the roots that the JVM has too', {
  timeout: 900_000,
}, async () => {
  const [first, second] = [await makeAnew('one', 'sbt', '1.11.7'), await makeAnew('two', 'sbt', '1.11.7')];
  await expectSame(first, second);
});

async function expectSame(first: EnsuredToolchain, second: EnsuredToolchain): Promise<void> {
  expect(second.build.reference).not.toBe(first.build.reference);
  expect(second.runtime?.reference).not.toBe(first.runtime?.reference);
  const isSame = second.locked.build === first.locked.build;
  expect(isSame ? '' : await describeDifference(first.build.reference, second.build.reference)).toBe('');
  expect(second.locked).toEqual(first.locked);
}

/** Paths that two images do not have alike, for whoever has to find out why. */
async function describeDifference(one: string, two: string): Promise<string> {
  const lists = [one, two].map(async (reference) => {
    const { layerFiles } = await readArchive(
      await engine.saveImage(reference),
      mkdtempSync(join(catalogs.hostDir, 'saved-')),
    );
    return layerFiles;
  });
  const [left, right] = await Promise.all(lists);
  const differing = left!.flatMap((file, index) => {
    const other = right![index];
    if (other === undefined) return ['another number of layers'];
    const script = `cd "$(mktemp -d)" && mkdir a b && tar -xf '${file}' -C a --exclude='dev/*' && tar -xf '${other}' -C b --exclude='dev/*' && diff -rq --no-dereference a b | head -n 20`;
    return [execFileSync('sh', ['-c', script], { encoding: 'utf8' })];
  });
  return differing.join('\n');
}
