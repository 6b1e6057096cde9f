import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { parse } from 'yaml';
import type { DeliveryRecord } from '../../../src/actions/deliver/deliver.ts';
import type { ListedTarget } from '../../../src/actions/deliver/list-targets.ts';
import type { ImageRecord } from '../../../src/actions/release/record.ts';
import { targets } from '../../../src/deliver/targets/table.ts';
import { commitAll, copyOf, openCli } from '../../support/cli/cli.ts';
import { readResult } from '../../support/deliver/delivery-rig.ts';
import { removeRepository } from '../../support/engines/engine-images.ts';
import { startRegistry, type TestRegistry } from '../../support/registry/registry.ts';

const name = `acme/example-${process.pid}`;
const cli = openCli({ engine: inject('engineHost') });
const rootDir = join(cli.dir, 'node-deliver');
const outDir = mkdtempSync(join(tmpdir(), 'gbuild-example-'));
let registry: TestRegistry;
let imageId: string;

const run = async <T>(...args: string[]): Promise<T> =>
  readResult<T>(await cli.run([...args, '--json'], { cwd: rootDir }));

beforeAll(async () => {
  registry = await startRegistry();
  copyOf('examples/node-deliver', rootDir, name);
  const spec = join(rootDir, 'gbuild.yml');
  writeFileSync(spec, readFileSync(spec, 'utf8').replace('registry.example.com', registry.host));
  await run('lock');
  commitAll(rootDir, 'locked');
  ({ imageId } = await run<ImageRecord>('image', '--release', '1.0.1', '--push'));
});
afterAll(async () => {
  await removeRepository(inject('engineHost'), name);
  await registry[Symbol.asyncDispose]();
  cli[Symbol.dispose]();
  rmSync(outDir, { recursive: true, force: true });
});

interface Spec {
  deliver: { targets: Record<string, string | { kind: string }> };
}

const described = () => (parse(readFileSync(join(rootDir, 'gbuild.yml'), 'utf8')) as Spec).deliver.targets;

test('one repository is ready for every kind of target', async () => {
  const { targets: listed } = await run<{ targets: ListedTarget[] }>('deliver', '--list');
  const named = listed.filter(({ name: target }) => Object.hasOwn(described(), target));
  expect(named.filter(({ missing }) => missing !== undefined)).toEqual([]);
  expect(named.map(({ kind }) => kind).sort()).toEqual(targets.map(({ kind }) => kind).sort());
});

test('each of its targets gets the release, the same bytes each time', async () => {
  for (const target of Object.keys(described())) {
    const deliver = (to: string) =>
      run<DeliveryRecord>('deliver', target, '1.0.1', '--output', join(outDir, to, target));
    const first = await deliver('first');
    expect([target, first.imageId]).toEqual([target, imageId]);
    expect([target, (await deliver('again')).files]).toEqual([target, first.files]);
  }
});
