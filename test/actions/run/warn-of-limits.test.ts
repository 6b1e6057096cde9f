import { expect, test } from 'vitest';
import { warnOfLimits } from '../../../src/actions/run/warn-of-limits.ts';
import { connectEngine, type EngineInfo } from '../../../src/engine/engine.ts';
import { readOwner } from '../../../src/fs/process-owner.ts';
import { parseSpec } from '../../../src/spec/read/read-spec.ts';
import { endpointOf } from '../../support/engines/endpoint-of.ts';
import { recordProgress } from '../../support/toolchains/host-in.ts';

const engine = connectEngine(endpointOf('tcp://127.0.0.1:1'), { owner: readOwner(), runId: 'limits' });
const rootless = { kind: 'docker', rootless: true, ignoresLimits: true } as EngineInfo;

function warn(resources: string, info: EngineInfo): string[] {
  const { spec } = parseSpec(`gbuild: 1\nname: app\ntoolchain: node\n${resources}`, 'gbuild.yml');
  const progress = recordProgress();
  warnOfLimits(spec, engine, info, progress);
  return progress.notes;
}

test('limits that the engine ignores are named, once for all of them', () => {
  expect(warn('resources: {memory: 1g, cpus: 2}\n', rootless)).toEqual([
    'resources.memory and resources.cpus of gbuild.yml will not be enforced: tcp://127.0.0.1:1 is a rootless docker, which ignores limits',
  ]);
});

test('nothing is said where the spec sets none, or the engine keeps them', () => {
  expect(warn('', rootless)).toEqual([]);
  expect(warn('resources: {memory: 1g}\n', { ...rootless, ignoresLimits: false })).toEqual([]);
});
