import { expect, test } from 'vitest';
import { awaitReady, chooseCheck } from '../../../../src/actions/run/services/readiness.ts';
import { reachDirectly } from '../../../../src/actions/run/services/service-environment.ts';

test.each([
  ['what the file says', { cmd: ['a'], timeout: 1 }, ['CMD', 'b'], { kind: 'command', words: ['a'] }],
  ['its port', { port: 80, timeout: 1 }, ['CMD', 'b'], { kind: 'port', port: 80 }],
  ["the image's check", { timeout: 1 }, ['CMD', 'b', 'c'], { kind: 'command', words: ['b', 'c'] }],
  ["the image's script", { timeout: 1 }, ['CMD-SHELL', 'b c'], { kind: 'command', words: ['/bin/sh', '-c', 'b c'] }],
  ['that it runs, where the check is taken back', { timeout: 1 }, ['NONE'], { kind: 'started' }],
  ['that it runs, where there is no check', { timeout: 1 }, undefined, { kind: 'started' }],
])('a service is ready by %s', (_, ready, healthTest, check) => {
  expect(chooseCheck(ready, healthTest)).toEqual(check);
});

test('services are reached past a proxy, by both spellings', () => {
  const env = { HTTP_PROXY: 'http://proxy', no_proxy: 'localhost' };
  expect(reachDirectly(env, ['db', 'app'])).toEqual({ ...env, NO_PROXY: 'db,app', no_proxy: 'localhost,db,app' });
  expect(reachDirectly(env, [])).toBe(env);
  expect(reachDirectly({ A: 'b' }, ['db'])).toEqual({ A: 'b' });
});

test('a port is not ready where its watcher could not enter the network of the service', async () => {
  const results = [
    { exitCode: 127, oomKilled: false, seconds: 0, startError: 'no such file or directory' },
    { exitCode: 137, oomKilled: false, seconds: 0 },
    { exitCode: 0, oomKilled: false, seconds: 0 },
  ];
  const engine = { runContainer: async () => results.shift()! };
  const container = { id: 'abc', whyNot: async () => undefined };
  const said: string[] = [];
  const { signal } = new AbortController();
  await awaitReady(
    { engine, container, image: 'any', labels: {} },
    { kind: 'port', port: 80 },
    (why) => said.push(why),
    signal,
  );
  expect([said, results]).toEqual([
    [
      'nothing listens on its port 80',
      'no such file or directory',
      'the watch of its port 80 ended with exit code 137',
    ],
    [],
  ]);
});
