import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { connectEngine, type Engine } from '../../../src/engine/engine.ts';
import { readOwner } from '../../../src/fs/process-owner.ts';
import type { EnsuredImage } from '../../../src/toolchain/build/ensure.ts';
import { endpointOf } from '../../support/engines/endpoint-of.ts';
import { runScript } from '../../support/engines/run-script.ts';
import { ensureFromCatalog } from '../../support/toolchains/toolchain-catalog.ts';

let engine: Engine;
let build: EnsuredImage;
let runtime: EnsuredImage;

beforeAll(async () => {
  engine = connectEngine(endpointOf(inject('engineHost')), { owner: readOwner(), runId: `node-${process.pid}` });
  ({ build, runtime } = await ensureFromCatalog(engine, 'node', '^22'));
});
afterAll(() => engine.close());

test('the build image of Node has compilers and npm, and folders that any user may write to', async () => {
  const tools = 'g++ make python3 git curl ssh npm npx node install-dependencies';
  const script = `for tool in ${tools}; do command -v $tool > /dev/null || echo no $tool; done; node --version; npm --version`;
  expect(await runScript(engine, build.reference, script)).toMatch(/^v22\.\d+\.\d+\n10\.\d+\.\d+\n$/);
  expect(await runScript(engine, build.reference, 'stat -c "%a %n" /cache /cache/npm /home/gbuild')).toBe(
    '1777 /cache\n1777 /cache/npm\n1777 /home/gbuild\n',
  );
});

test('the runtime image has a user by number, a home, roots and times, and is small', async () => {
  const { config, size } = (await engine.inspectImage(runtime.reference))!;
  expect(config.User).toBe('65532:65532');
  expect(size).toBeLessThan(175e6);
  const forbidden = 'apt apt-get dpkg gcc g++ cc ld make perl python3 npm npx git curl mount su passwd';
  const script = `for tool in ${forbidden}; do command -v $tool; done; true`;
  expect(await runScript(engine, runtime.reference, script)).toBe('');
  const facts =
    "id -u; id -un; echo $HOME $LANG; stat -c %U ~; node -p \"process.version + ' ' + new Date(0).toLocaleString('de', { timeZone: 'Europe/Berlin' })\"";
  expect(await runScript(engine, runtime.reference, facts)).toMatch(
    /^65532\napp\n\/home\/app C\.UTF-8\napp\nv22\.\d+\.\d+ 1\.1\.1970, 01:00:00\n$/,
  );
});

test('a scanner can still read which packages the runtime has', async () => {
  const script = 'sed -n "s/^Package: //p" /var/lib/dpkg/status';
  const packages = (await runScript(engine, runtime.reference, script)).split('\n');
  expect(packages).toEqual(expect.arrayContaining(['libc6', 'libstdc++6', 'tzdata', 'dash']));
  expect(packages.filter((name) => /^(apt|dpkg|perl.*|passwd|login)$/.test(name))).toEqual([]);
});
