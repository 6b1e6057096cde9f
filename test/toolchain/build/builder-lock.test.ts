import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createFixture } from 'fs-fixture';
import { expect, it } from 'vitest';
import type { Engine } from '../../../src/engine/engine.ts';
import { readOwner } from '../../../src/fs/process-owner.ts';
import { withBuilderLock } from '../../../src/toolchain/build/builder-lock.ts';
import { hostIn, neverStop, recordProgress } from '../../support/toolchains/host-in.ts';

function rimIn(dir: string) {
  const engine = { owner: readOwner(), info: async () => ({ id: 'engine' }) } as Engine;
  return { host: hostIn(dir, {}), engine, stop: neverStop(), progress: recordProgress() };
}

it('takes over a lock that is emptied, cut off or other text, and a folder in its place', async () => {
  await using fixture = await createFixture();
  const context = rimIn(fixture.path);
  let whole = '';
  let file = '';
  await withBuilderLock(context, 'base', async () => {
    const dir = join(context.host.cacheDir, 'locks');
    file = join(dir, readdirSync(dir).find((name) => name.endsWith('.lock'))!);
    whole = readFileSync(file, 'utf8');
  });
  expect(whole).not.toBe('');
  for (const damage of ['', whole.slice(0, 4), '{"pid":1}', undefined]) {
    if (damage === undefined) mkdirSync(join(file, 'below'), { recursive: true });
    else writeFileSync(file, damage);
    expect(await withBuilderLock(context, 'base', async () => readFileSync(file, 'utf8').slice(0, 4))).toBe(
      whole.slice(0, 4),
    );
    expect(existsSync(file)).toBe(false);
  }
  expect(readdirSync(join(context.host.cacheDir, 'locks'))).toEqual([]);
});
