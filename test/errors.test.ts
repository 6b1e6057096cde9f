import { expect, it } from 'vitest';
import { EngineRefusalError, engineLost } from '../src/engine/client/failures.ts';
import { EngineBlindError } from '../src/engine/container/probe.ts';
import { DetachedError } from '../src/engine/container/resume.ts';
import type { Endpoint } from '../src/engine/endpoint/endpoint.ts';
import { ServiceStartError } from '../src/engine/service/service-engine.ts';
import { exitCodes, GbuildError, isInfrastructureFailure, isRegistryFailure } from '../src/errors.ts';
import { IndexLostError } from '../src/oci/layout/index-file.ts';

const endpoint: Endpoint = { url: 'unix:///e.sock', source: 'DOCKER_HOST', reason: 'it is set', warnings: [] };

it('shows no key of the facts to code that would branch on them', () => {
  const error = new GbuildError('engine-failed', 'no', { facts: { status: 404 } });
  // @ts-expect-error: whoever needs the status throws and catches a class that has it.
  expect(error.facts.status).toBe(404);
});

it('keeps the facts of --json where a kind of failure has fields for callers', () => {
  const watched = { id: 'c', tty: false, seen: { stdout: 1, stderr: 2 }, graceSeconds: 10 };
  const failures = [
    new EngineRefusalError(endpoint, 'make a network', 403, 'too many'),
    new EngineRefusalError(endpoint, 'attach', 500, 'no such program', 'OCI permission denied'),
    engineLost(endpoint, 'list networks', new Error('read ECONNRESET')),
    new EngineBlindError(endpoint, '/home/u', 'has no such folder'),
    new DetachedError('away', watched, { suggestions: [], facts: { endpoint: endpoint.url, watched } }),
    new ServiceStartError({ exitCode: 127, startError: 'no such program' }),
    new IndexLostError('/store/index.json', 'it is gone', undefined),
  ];
  const lines = failures.map(({ code, exitCode, facts }) => `${code} ${exitCode} ${JSON.stringify(facts)}`);
  expect(lines).toMatchInlineSnapshot(`
    [
      "engine-failed 3 {"endpoint":"unix:///e.sock","status":403}",
      "engine-failed 3 {"endpoint":"unix:///e.sock","status":500,"reason":"OCI permission denied"}",
      "engine-failed 3 {"endpoint":"unix:///e.sock","lost":true}",
      "engine-blind 3 {"endpoint":"unix:///e.sock","hostDir":"/home/u"}",
      "engine-failed 3 {"endpoint":"unix:///e.sock","watched":{"id":"c","tty":false,"seen":{"stdout":1,"stderr":2},"graceSeconds":10}}",
      "service-failed 2 {"exitCode":127,"startError":"no such program"}",
      "store-failed 3 {"file":"/store/index.json"}",
    ]
  `);
});

it('counts every exit code 3, and only that, as an infrastructure failure', () => {
  const codes = Object.keys(exitCodes) as (keyof typeof exitCodes)[];
  const found = codes.filter((code) => isInfrastructureFailure(new GbuildError(code, 'no')));
  expect(found).toEqual(codes.filter((code) => exitCodes[code] === 3));
  expect(isInfrastructureFailure(new Error('no'))).toBe(false);
});

it('knows every code of a registry as a failure of a registry', () => {
  const codes = Object.keys(exitCodes) as (keyof typeof exitCodes)[];
  const found = codes.filter((code) => isRegistryFailure(new GbuildError(code, 'no')));
  expect(found).toEqual(codes.filter((code) => code.startsWith('registry-')));
});
