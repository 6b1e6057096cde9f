import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, inject, test } from 'vitest';
import type { GenerationName } from '../engines/engine-generations.ts';
import { listLeft, nothingLeft } from '../engines/engine-left.ts';
import { openFarEngine } from './far-engine.ts';

const body = `tasks:
  test: {run: "cat a; ls bin; rm gone; mkdir -p out; cp a out/r.txt; exit 5", reports: [out/*]}
  look: cat a; ls gone out
  many: ls many | wc -l; cat many/1099; test -w many/7 && test -x many/run && echo >many/made
`;

/** More files than are sent one by one. */
const many = Object.fromEntries(Array.from({ length: 1100 }, (_, at) => [`many/${at}`, `${at}\n`]));

/** Tests a workspace that engines of these generations cannot see. */
export function describeSync(generations: GenerationName[]): void {
  test.each(generations)(
    'a workspace that %s does not see is sent once, then what has changed, many files at once, too, and comes back',
    async (generation) => {
      await using opened = await openFarEngine(inject('engineHost'), { toolchain: inject('baseImage') }, generation);
      const { cli, far } = opened;
      const files = { a: 'one\n', 'bin/run': '#!/bin/sh\n', gone: 'x\n', '.gitignore': 'out/\n' };
      const cwd = cli.tasks('sync-generation', body, files);
      const first = await cli.run(['test'], { cwd });
      expect([first.exitCode, first.stdout, readFileSync(join(cwd, 'out/r.txt'), 'utf8')], first.stderr).toEqual([
        5,
        'one\nrun\n',
        'one\n',
      ]);
      const second = await cli.run(['run', 'look'], { cwd });
      expect([second.exitCode, second.stdout, second.stderr]).toEqual([
        2,
        'one\nout:\nr.txt\n',
        expect.stringContaining('up to date'),
      ]);
      writeFileSync(join(cwd, 'a'), 'two!\n');
      const third = await cli.run(['run', 'look'], { cwd });
      expect([third.stdout, third.stderr]).toEqual([
        'two!\nout:\nr.txt\n',
        expect.stringContaining('is sent there (1 file, 5 B)'),
      ]);
      for (const [path, text] of Object.entries({ ...many, 'many/run': '#!/bin/sh\n' })) {
        mkdirSync(join(cwd, 'many'), { recursive: true });
        writeFileSync(join(cwd, path), text, { mode: path === 'many/run' ? 0o755 : 0o644 });
      }
      const fourth = await cli.run(['run', 'many'], { cwd });
      expect([fourth.exitCode, fourth.stdout, fourth.stderr, readFileSync(join(cwd, 'many/made'), 'utf8')]).toEqual([
        0,
        '1101\n1099\n',
        expect.stringContaining('(1101 files, '),
        '\n',
      ]);
      expect(await listLeft(far.host, 'io.gbuild.repository=sync-generation')).toEqual(nothingLeft);
    },
    // The engine's image may have to be made first.
    600_000,
  );
}
