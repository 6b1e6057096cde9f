import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, expect, inject, test } from 'vitest';
import type { ImageRecord } from '../../../src/actions/release/record.ts';
import { connectEngine } from '../../../src/engine/engine.ts';
import { readOwner } from '../../../src/fs/process-owner.ts';
import { openCli } from '../../support/cli/cli.ts';
import { endpointOf } from '../../support/engines/endpoint-of.ts';
import { removeRepository } from '../../support/engines/engine-images.ts';
import { runScript } from '../../support/engines/run-script.ts';

const engine = inject('engineHost');
const client = connectEngine(endpointOf(engine), { owner: readOwner(), runId: `files-${process.pid}` });
const name = `e2e-files-${process.pid}`;
const cli = openCli({ engine });

afterAll(async () => {
  await removeRepository(engine, name);
  client.close();
  cli[Symbol.dispose]();
});

function openRepository(base: string): string {
  return cli.repository(name, {
    'gbuild.yml': `gbuild: 1\nname: ${name}\ntoolchain: ${base}\nimage:\n  entrypoint: [sh]\n  layers: [{name: files, from: [files]}]\n`,
  });
}

const names = [
  'a\nnewline',
  '"double" \'single\' `back` $(dollar) \\slash',
  '-leading-dash',
  '--',
  ' spaces ',
  'tab\tand\rreturn',
  'ünïcode-žluťoučký-日本語-🚀',
  'e\u0301 is not \u00e9',
  'x'.repeat(250),
  `${'deep/'.repeat(60)}file`,
  '.hidden',
  '*?[glob]{a,b}!',
  'trailing.',
  '.wh.not-a-whiteout'.slice(4),
];

/** path -> target */
const links = {
  dangling: 'nowhere/at all',
  absolute: '/etc/passwd',
  loop: 'loop',
  'loop-a': 'loop-b',
  'loop-b': 'loop-a',
  up: '../../..',
  '-link\n': "to '\n'",
  folder: 'empty',
};

/** Prints type, mode, owner, time, path and link target of all below /app/files, NUL-terminated, as hex that no log can change. */
const list = `cd /app/files && find . -mindepth 1 -printf '%y %m %U:%G %TY %p -> %l\\0' | sort -z | od -An -v -tx1 | tr -d ' \\n'`;

test('hostile names, links, empty folders and executable bits arrive as they are', async () => {
  const rootDir = openRepository(inject('baseImage'));
  const files = join(rootDir, 'files');
  for (const path of names) {
    mkdirSync(dirname(join(files, path)), { recursive: true });
    writeFileSync(join(files, path), path, { mode: 0o600 });
  }
  writeFileSync(join(files, 'program'), '#!/bin/sh\n', { mode: 0o100 });
  writeFileSync(join(files, 'setuid'), '', { mode: 0o4755 });
  mkdirSync(join(files, 'empty/within'), { recursive: true, mode: 0o700 });
  for (const [path, target] of Object.entries(links)) symlinkSync(target, join(files, path));

  const { exitCode, stdout, stderr } = await cli.run(['image', '--json'], { cwd: rootDir });
  expect(exitCode, stderr).toBe(0);
  const { reference } = JSON.parse(stdout) as ImageRecord;
  const listed = Buffer.from(await runScript(client, reference, list), 'hex')
    .toString()
    .split('\0')
    .slice(0, -1);

  const deep = Array.from({ length: 60 }, (_, i) => `deep${'/deep'.repeat(i)}`);
  const line = (kind: string, path: string, target = '') => `${kind} 0:0 1980 ./${path} -> ${target}`;
  const expected = [
    ...names.map((path) => line('f 644', path)),
    line('f 755', 'program'),
    line('f 755', 'setuid'),
    ...[...deep, 'empty', 'empty/within'].map((path) => line('d 755', path)),
    ...Object.entries(links).map(([path, target]) => line('l 777', path, target)),
  ];
  expect(listed.sort()).toEqual(expected.sort());
  const readBack = `cd /app/files && cat -- -leading-dash './a\nnewline' '${'x'.repeat(250)}'`;
  expect(await runScript(client, reference, readBack)).toBe(`-leading-dasha\nnewline${'x'.repeat(250)}`);
});
