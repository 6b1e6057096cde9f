import { mkdtempSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { connectEngine, type Engine } from '../../src/engine/engine.ts';
import { readOwner } from '../../src/engine/owner.ts';
import { readArchive } from '../../src/oci/read-archive.ts';
import { type EnsuredImage, ensureToolchain } from '../../src/toolchain/ensure.ts';
import { readHostTrust } from '../../src/toolchain/trust.ts';
import { endpointOf } from '../support/endpoint-of.ts';
import { runScript } from '../support/run-script.ts';
import { TestCatalogs } from '../support/toolchain-catalog.ts';
import { hostIn, neverStop, recordProgress } from '../support/toolchain-rim.ts';

const timeLimit = 600_000;

// Nobody has this image, so the roots are made of Debian's packages: the whole way from nothing.
const catalogs = new TestCatalogs('127.0.0.1:1/gbuild-test/nobody-has-this:1');
const cacheDir = join(catalogs.hostDir, 'cache');
let engine: Engine;

beforeAll(() => {
  engine = connectEngine(endpointOf(inject('engineHost')), { owner: readOwner(), runId: `node-${process.pid}` });
});
afterAll(async () => {
  await catalogs.remove(engine);
  engine.close();
});

const node = (options = {}) => ({
  kind: 'catalog' as const,
  request: 'node@22.21.1',
  name: 'node',
  range: '22.21.1',
  options,
});

/** A catalog with which every RUN step is done again, and the root made anew: only its words differ. */
function writeAgain(name: string): string {
  const comment = (text: string) => `${text}# ${catalogs.nonce} ${name}\n`;
  return catalogs.write(name, {
    'base/base.yml': (text) =>
      text
        .replace('debian:bookworm-slim', '127.0.0.1:1/gbuild-test/nobody-has-this:1')
        .replace('volatile:', `volatile:\n  - ${catalogs.nonce}-${name}`),
    'base/trim': comment,
    'base/helpers/install-packages': comment,
    'node/Dockerfile': (text) => text.replace('mkdir -p /opt', `: ${catalogs.nonce} ${name}; mkdir -p /opt`),
  });
}

function openRim() {
  return { engine, host: hostIn(cacheDir), progress: recordProgress(), stop: neverStop() };
}

let first: { build: EnsuredImage; runtime: EnsuredImage };

test('Node from nothing: a build image with compilers and npm, a runtime without', { timeout: timeLimit }, async () => {
  const resolved = await catalogs.resolve(writeAgain('one'), node());
  const { build, runtime } = await catalogs.rememberRoots(engine, () =>
    ensureToolchain(resolved, { ...openRim(), role: 'both' }),
  );
  first = { build, runtime: runtime! };
  const tools = 'g++ make python3 git curl ssh npm npx node install-dependencies';
  const script = `for tool in ${tools}; do command -v $tool > /dev/null || echo no $tool; done; node --version; npm --version`;
  expect(await runScript(engine, build.reference, script)).toBe('v22.21.1\n10.9.9\n');
  expect(await runScript(engine, build.reference, 'stat -c "%a %n" /cache /cache/npm /home/gbuild')).toBe(
    '1777 /cache\n1777 /cache/npm\n1777 /home/gbuild\n',
  );
});

test('the runtime image has a user by number, a home, roots and times, and is small', async () => {
  const { config, size } = (await engine.inspectImage(first.runtime.reference))!;
  expect(config.User).toBe('65532:65532');
  expect(size).toBeLessThan(175e6);
  const forbidden = 'apt apt-get dpkg gcc g++ cc ld make perl python3 npm npx git curl mount su passwd';
  const script = `for tool in ${forbidden}; do command -v $tool; done; true`;
  expect(await runScript(engine, first.runtime.reference, script)).toBe('');
  const facts =
    "id -u; id -un; echo $HOME $LANG; stat -c %U ~; node -p \"process.version + new Date(0).toLocaleString('de', { timeZone: 'Europe/Berlin' })\"";
  expect(await runScript(engine, first.runtime.reference, facts)).toBe(
    '65532\napp\n/home/app C.UTF-8\napp\nv22.21.11.1.1970, 01:00:00\n',
  );
});

test('a scanner can still read which packages the runtime has', async () => {
  const script = 'sed -n "s/^Package: //p" /var/lib/dpkg/status';
  const packages = (await runScript(engine, first.runtime.reference, script)).split('\n');
  expect(packages).toEqual(expect.arrayContaining(['libc6', 'libstdc++6', 'tzdata', 'dash']));
  expect(packages.filter((name) => /^(apt|dpkg|perl.*|passwd|login)$/.test(name))).toEqual([]);
});

test('packages asked for are in both images, with what they need', { timeout: timeLimit }, async () => {
  const resolved = await catalogs.resolve(join(catalogs.hostDir, 'catalogs/one'), node({ packages: ['xmlstarlet'] }));
  const rim = openRim();
  const { build, runtime } = await catalogs.rememberRoots(engine, () =>
    ensureToolchain(resolved, { ...rim, role: 'both' }),
  );
  for (const { reference } of [build, runtime!]) {
    expect(await runScript(engine, reference, 'xmlstarlet --version | head -1')).toMatch(/^\d/);
  }
});

test('no layer of either image holds a root that only this host trusts', { timeout: timeLimit }, async () => {
  const { extraRoots } = readHostTrust({ env: process.env, platform: process.platform });
  const bodies = extraRoots.split(/-----[A-Z ]+-----/).map((text) => text.trim().split(/\s+/)[1] ?? '');
  const marks = bodies.filter((line) => line.length > 40);
  for (const { reference } of [first.build, first.runtime]) {
    const hostDir = mkdtempSync(join(catalogs.hostDir, 'saved-'));
    const { layerFiles, configBytes } = await readArchive(await engine.saveImage(reference), hostDir);
    for (const mark of [...marks, 'run/gbuild/trust.pem\0']) {
      const holders = layerFiles.filter((file) => readFileSync(file).includes(mark));
      expect(holders).toEqual([]);
      expect(configBytes.includes(mark)).toBe(false);
    }
  }
});
