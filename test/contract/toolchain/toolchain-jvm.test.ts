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
  engine = connectEngine(endpointOf(inject('engineHost')), { owner: readOwner(), runId: `jvm-${process.pid}` });
  ({ build, runtime } = await ensureFromCatalog(engine, 'jvm', '21'));
});
afterAll(() => engine.close());

test('the build image of the JVM has the JDK, Maven and what builds ask for', async () => {
  const tools =
    'for tool in java javac mvn git curl unzip jvm-stage; do command -v $tool > /dev/null || echo no $tool; done';
  expect(await runScript(engine, build.reference, tools)).toBe('');
});

test('the build image does not hold the day on which it was made: passwords were changed on the day of all roots', async () => {
  const days = "cut -d: -f3 /etc/shadow | sort -u; chage -l root | sed -n 's/^Last password change.*: //p'";
  expect(await runScript(engine, build.reference, days)).toBe('3652\nJan 01, 1980\n');
});

test('the runtime image has a Java runtime with roots, a user by number, and no tools', async () => {
  const none = 'for tool in apt dpkg javac mvn perl python3 curl git gcc; do command -v $tool; done; true';
  expect(await runScript(engine, runtime.reference, none)).toBe('');
  const facts =
    'id -u; java -version 2>&1 | grep -c "openjdk version \\"21"; test -s /etc/ssl/certs/java/cacerts && echo roots';
  expect(await runScript(engine, runtime.reference, facts)).toBe('65532\n1\nroots\n');
});
