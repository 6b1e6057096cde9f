import { expect, test } from 'vitest';
import { TransferMeter } from '../../src/reporter/transfer.ts';

test('a transfer is told in bytes, and by how fast it lately went', () => {
  let now = 0;
  const meter = new TransferMeter(100_000_000, () => now);
  expect(meter.describe()).toBe('0 B of 100 MB');
  const pass = (seconds: number, bytesPerSecond: number) => {
    for (let step = 0; step < seconds * 100; step += 1) {
      now += 10;
      meter.add(bytesPerSecond / 100);
    }
  };
  pass(10, 1_000_000);
  expect(meter.describe()).toBe('10 MB of 100 MB, 1.0 MB/s');
  pass(10, 5_000_000);
  expect(meter.describe()).toBe('60 MB of 100 MB, 5.0 MB/s');
  now += 60_000;
  expect(meter.describe()).toMatch(/^60 MB of 100 MB, \d+ kB\/s$/);
});

test('bytes that have to go again are taken back', () => {
  let now = 0;
  const meter = new TransferMeter(10_000, () => now);
  meter.add(8000);
  now += 1000;
  meter.add(-6000);
  expect(meter.describe()).toBe('2.0 kB of 10 kB, 2.0 kB/s');
});
