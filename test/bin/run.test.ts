import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { createFixture, type FsFixture } from 'fs-fixture';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BaseCommand, engineFlags } from '../../src/commands/base/base-command.ts';

/** An installation whose main prints what it is given. */
let installed: FsFixture;
beforeAll(async () => {
  installed = await createFixture({
    'package.json': '{"name":"gbuild","version":"1.2.3","type":"module"}',
    'dist/main.js': 'export const main = (argv) => console.log(JSON.stringify(argv));',
    'dist/help/index.txt': 'help of gbuild\n',
    'dist/help/test.txt': 'help of test\n',
    'dist/help/engine-ls.txt': 'help of engine ls\n',
  });
  cpSync(join(import.meta.dirname, '../../bin/run.js'), installed.getPath('bin/run.js'));
});
afterAll(() => installed.rm());

async function start(line: string): Promise<string> {
  const words = line === '' ? [] : line.split(' ');
  const { stdout } = await execa(process.execPath, [installed.getPath('bin/run.js'), ...words], { stdin: 'ignore' });
  return stdout;
}

const arranged = async (line: string) => (JSON.parse(await start(line)) as string[]).join(' ');

describe('global flags may come before the command', () => {
  test.each([
    ['-C dir test', 'test -C dir'],
    ['-q -C dir run lint', 'run lint -q -C dir'],
    ['-qC dir run lint --frozen', 'run lint -qC dir --frozen'],
    ['-Cdir --host=tcp://h:1 engine ls', 'engine ls -Cdir --host=tcp://h:1'],
    ['engine -C dir show', 'engine show -C dir'],
    ['--context test test', 'test --context test'],
    ['-C a test -C b', 'test -C a -C b'],
    ['-v run lint -- -q --help', 'run lint -v -- -q --help'],
  ])('%s', async (line, expected) => {
    expect(await arranged(line)).toBe(expected);
  });

  test('all of them, in every form that they have', async () => {
    const all = { ...BaseCommand.baseFlags, ...engineFlags, json: { type: 'boolean', char: undefined } };
    const forms = Object.entries(all).flatMap(([name, { type, char }]) => {
      const spelt = [`--${name}`, ...(char === undefined ? [] : [`-${char}`])];
      return spelt.map((flag) => (type === 'boolean' ? flag : `${flag} value`));
    });
    expect(forms.length).toBeGreaterThan(9);
    const found = await Promise.all(forms.map((form) => arranged(`${form} test`)));
    expect(found).toEqual(forms.map((form) => `test ${form}`));
  });

  test('a flag of one command stays where it is, with all that follows', async () => {
    for (const line of ['--frozen test', 'test --shard 1/2 -q', 'run lint -x -C dir'])
      expect(await arranged(line)).toBe(line);
  });

  test('help and version are printed without loading a command', async () => {
    expect(await start('')).toBe('help of gbuild');
    expect(await start('-q --help')).toBe('help of gbuild');
    expect(await start('-C dir test --help')).toBe('help of test');
    expect(await start('engine -q ls --frozen --help')).toBe('help of engine ls');
    for (const line of ['--version', '-C dir --version']) expect(await start(line)).toMatch(/^gbuild\/1\.2\.3 /);
    expect(await arranged('run lint -- --help')).toBe('run lint -- --help');
  });
});
