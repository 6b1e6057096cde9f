import { afterEach, beforeEach, expect, test } from 'vitest';
import { EngineRefusalError, engineLost } from '../../../src/engine/client/failures.ts';
import { isBeyondResuming } from '../../../src/engine/container/resume.ts';
import { connectEngine, type Engine } from '../../../src/engine/engine.ts';
import { readOwner } from '../../../src/fs/process-owner.ts';
import { endpointOf } from '../../support/engines/endpoint-of.ts';
import { FakeEngine } from '../../support/engines/fake-engine.ts';
import { collectOutput, neverStop } from '../../support/engines/run-io.ts';

let fake: FakeEngine;
let engine: Engine;

beforeEach(async () => {
  fake = await FakeEngine.start();
  engine = connectEngine(endpointOf(fake.host), { owner: readOwner(), runId: 'resume' });
});
afterEach(async () => {
  engine.close();
  await fake[Symbol.asyncDispose]();
});

const resume = () => {
  const watched = { id: 'f'.repeat(64), tty: false, seen: { stdout: 0, stderr: 0 }, graceSeconds: 1 };
  const io = { onOutput: collectOutput().take, stop: neverStop() };
  return engine.resumeContainer(watched, io).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
};

test('nobody comes back to a container that the engine does not have any more', async () => {
  expect(isBeyondResuming(await resume())).toBe(true);
});

test('a container may be there still when the engine refuses to tell of it, or is lost', () => {
  const refused = new EngineRefusalError(engine.endpoint, 'look at a container', 500, 'no');
  const lost = engineLost(engine.endpoint, 'look at a container', new Error('read ECONNRESET'));
  expect([refused, lost].map(isBeyondResuming)).toEqual([false, false]);
});
