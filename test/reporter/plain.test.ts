import { describe, expect, it } from 'vitest';
import { formatBytes, formatDigest, formatSeconds } from '../../src/reporter/format.ts';
import { PlainReporter, QuietReporter } from '../../src/reporter/plain.ts';
import { Tail } from '../../src/reporter/tail.ts';

/** What a reporter wrote, times replaced. */
function open(verbose = false, every?: number) {
  let text = '';
  const write = (more: string) => {
    text += more;
  };
  return {
    reporter: new PlainReporter({ write, verbose, ...(every !== undefined && { every }) }),
    quiet: new QuietReporter(write),
    text: () => text.replaceAll(/\d+\.\d s/g, 'TIME'),
  };
}

describe('PlainReporter', () => {
  it('prints a step when it starts and when it ends', async () => {
    const { reporter, text } = open();
    expect(await reporter.step('pulling', async () => 7)).toBe(7);
    expect(text()).toBe('> pulling\n+ pulling (TIME)\n');
  });

  it('says now and then what a long step is doing, and of a short one nothing', async () => {
    const work = async ({ update }: { update: (text: string) => void }) => {
      for (const part of ['1 MB', '1 MB', '2 MB']) update(part);
    };
    const [long, short] = [open(false, 0), open()];
    for (const { reporter } of [long, short]) await reporter.step('pulling', work);
    expect(long.text()).toBe('> pulling\n  pulling: 1 MB\n  pulling: 2 MB\n+ pulling (TIME)\n');
    expect(short.text()).toBe('> pulling\n+ pulling (TIME)\n');
  });

  it('shows the last lines of a step only when it fails, and throws its error on', async () => {
    const { reporter, text } = open();
    const step = reporter.step('building', async ({ log }) => {
      for (let line = 1; line <= 30; line += 1) log(`line ${line}`);
      throw new Error('no');
    });
    await expect(step).rejects.toThrow('no');
    expect(text()).toMatch(/^> building\n {2}\| line 11\n(?: {2}\| line \d+\n)+ {2}\| line 30\nx building \(TIME\)\n$/);
  });

  it('prints every line as it comes when asked to, and once', async () => {
    const { reporter, text } = open(true);
    const step = reporter.step('building', async ({ log, update }) => {
      update('step 1');
      update('step 1');
      log('hello');
      throw new Error('no');
    });
    await expect(step).rejects.toThrow('no');
    expect(text()).toBe('> building\n  building: step 1\n  | hello\nx building (TIME)\n');
  });
});

it('prints warnings alone when quiet', async () => {
  const { quiet, text } = open();
  quiet.note();
  await quiet.step('x', async ({ log }) => log('y'));
  quiet.warn('DOCKER_HOST wins');
  expect(text()).toBe('warning: DOCKER_HOST wins\n');
});

it('keeps the last lines of an endless output and no more', () => {
  const tail = new Tail(3);
  for (let line = 0; line < 10_000; line += 1) tail.add(String(line));
  expect(tail.lines()).toEqual(['9997', '9998', '9999']);
});

it('writes sizes, times and digests as people read them', () => {
  expect([0, 999, 1000, 12_345, 1_234_567, 5e9].map(formatBytes)).toEqual([
    '0 B',
    '999 B',
    '1.0 kB',
    '12 kB',
    '1.2 MB',
    '5.0 GB',
  ]);
  expect([0.04, 9.94, 12.4, 99.6, 185].map(formatSeconds)).toEqual(['0.0 s', '9.9 s', '12 s', '100 s', '3 min 05 s']);
  expect(formatDigest(`sha256:${'ab'.repeat(32)}`)).toBe('abababababab');
});
