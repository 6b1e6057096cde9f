import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startMoto } from '../../support/deployers/moto.ts';
import { runToEnd } from '../../support/runner/make-once.ts';

const child = join(import.meta.dirname, '../../support/deliver/put-child.ts');
const mebibyte = 1024 ** 2;

test('a file of 300 MiB takes no more memory than one of 60 MiB', { timeout: 600_000 }, async () => {
  await using moto = await startMoto();
  await moto.makeBucket('releases');
  const dir = mkdtempSync(join(tmpdir(), 'gbuild-memory-'));
  try {
    const measure = async (mebibytes: number) => {
      const file = join(dir, `${mebibytes}`);
      writeFileSync(file, '');
      truncateSync(file, mebibytes * mebibyte);
      const printed = await runToEnd(process.execPath, [child, file, `s3://releases/${mebibytes}`], { env: moto.env });
      return Number(printed.trim().split('\n').at(-1));
    };
    const [small, large] = [await measure(60), await measure(300)];
    expect(large - small).toBeLessThan(100 * mebibyte);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
});
