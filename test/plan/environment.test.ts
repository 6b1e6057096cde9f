import { expect, it } from 'vitest';
import { composeEnvironment, selectPassedNames } from '../../src/plan/environment.ts';

it('passes only the variables that the allow-list names', () => {
  const env = { AWS_REGION: 'eu', AWS_SECRET: 'x', HOME: '/root', TOKEN: 't', 'AWS.X': 'y', gone: undefined };
  expect(selectPassedNames(['AWS_*', 'TOKEN', 'gone'], env)).toEqual(['AWS_REGION', 'AWS_SECRET', 'TOKEN']);
  expect(selectPassedNames([], env)).toEqual([]);
});

it('lets the task win over the spec, the spec over the toolchain, and nobody over what gbuild says of itself', () => {
  const env = composeEnvironment({
    toolchain: { A: 'toolchain', B: 'toolchain', C: 'toolchain' },
    secrets: ['T', 'C'],
    spec: { B: 'spec', C: 'spec' },
    task: { C: 'task', C_FILE: 'task', GBUILD_TASK: 'lie' },
    isCI: true,
    taskName: 'test',
    toolchainId: 'node@22.0.0',
    sourceDateEpoch: 1700000000,
    shard: { number: 2, of: 3 },
    isSplit: true,
  });
  expect(env).toEqual({
    HOME: '/home/gbuild',
    LANG: 'C.UTF-8',
    CI: 'true',
    SOURCE_DATE_EPOCH: '1700000000',
    A: 'toolchain',
    B: 'spec',
    C: 'task',
    T_FILE: '/run/secrets/T',
    C_FILE: 'task',
    GBUILD_TASK: 'test',
    GBUILD_TOOLCHAIN: 'node@22.0.0',
    GBUILD_SHARD: '2',
    GBUILD_SHARDS: '3',
    GBUILD_SHARD_FILES: '/run/gbuild/shard-files',
  });
});
