import { PassThrough } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { formatTable } from '../../src/commands/base/engine-command.ts';
import { formatError } from '../../src/commands/base/report-error.ts';
import { GbuildError } from '../../src/errors.ts';
import { TaskOutput } from '../../src/reporter/output.ts';
import { PlainReporter, QuietReporter } from '../../src/reporter/plain.ts';
import type { Progress } from '../../src/reporter/progress.ts';

const evil = 'x\x1b]0;owned\x07\r\x9b2J\u202ey\nerror: z';

/** Tells a reporter everything it can be told, from a hostile engine. */
async function tellAll(progress: Progress): Promise<void> {
  progress.note(evil);
  progress.warn(evil);
  const failing = progress.step(evil, async (step) => {
    step.update(evil);
    step.log(evil.replace('\n', ' '));
    throw new Error('as it should');
  });
  await expect(failing).rejects.toThrow('as it should');
}

test('lines for pipes hold nothing that a terminal acts on', async () => {
  const tell = async (verbose: boolean) => {
    let written = '';
    const write = (text: string) => {
      written += text;
    };
    await tellAll(new PlainReporter({ write, verbose }));
    return written.replaceAll(/\(\d.*?\)/g, '(<time>)');
  };
  expect(await tell(true)).toMatchInlineSnapshot(`
    "x\\x1b]0;owned\\x07\\r\\x9b2J\\u202ey
      | error: z
    warning: x\\x1b]0;owned\\x07\\r\\x9b2J\\u202ey
      | error: z
    > x\\x1b]0;owned\\x07\\r\\x9b2J\\u202ey\\nerror: z
      x\\x1b]0;owned\\x07\\r\\x9b2J\\u202ey\\nerror: z: x\\x1b]0;owned\\x07\\r\\x9b2J\\u202ey\\nerror: z
      | \\u202ey error: z
    x x\\x1b]0;owned\\x07\\r\\x9b2J\\u202ey\\nerror: z (<time>)
    "
  `);
  expect(await tell(false)).toMatchInlineSnapshot(`
    "x\\x1b]0;owned\\x07\\r\\x9b2J\\u202ey
      | error: z
    warning: x\\x1b]0;owned\\x07\\r\\x9b2J\\u202ey
      | error: z
    > x\\x1b]0;owned\\x07\\r\\x9b2J\\u202ey\\nerror: z
      | \\u202ey error: z
    x x\\x1b]0;owned\\x07\\r\\x9b2J\\u202ey\\nerror: z (<time>)
    "
  `);
});

test('warnings of --quiet neither', async () => {
  const written: string[] = [];
  await tellAll(new QuietReporter((text) => void written.push(text)));
  expect(written).toMatchInlineSnapshot(`
    [
      "warning: x\\x1b]0;owned\\x07\\r\\x9b2J\\u202ey
      | error: z
    ",
    ]
  `);
});

test.each([true, false])('the live list draws with its own sequences alone (on a terminal: %s)', async (isTerminal) => {
  const reporter = fileURLToPath(new URL('../../src/reporter/terminal.ts', import.meta.url));
  const script = `
    const { TerminalReporter } = await import(${JSON.stringify(reporter)});
    const evil = ${JSON.stringify(evil)};
    const write = (text) => void process.stderr.write(text);
    const reporter = new TerminalReporter({ output: process.stderr, write, colour: (_style, text) => text });
    reporter.note(evil);
    const failing = reporter.step(evil, async (step) => {
      step.update(evil);
      step.log(evil);
      await new Promise((resolve) => setTimeout(resolve, 400));
      throw new Error(evil);
    });
    await failing.catch(({ message }) => reporter.warn(message === evil ? 'as thrown' : 'another error'));`;
  const node = [process.execPath, '--input-type=module', '-e', script] as const;
  const quoted = node.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ');
  const [program, ...args] = isTerminal ? ['script', '-qec', `stty cols 200; ${quoted}`, '/dev/null'] : node;
  const { stdout, stderr } = await execa(program!, args, { env: { CI: '', TERM: 'xterm' } });
  expect(stdout + stderr).toContain('x\\x1b]0;owned\\x07\\r\\x9b2J\\u202ey\\nerror: z');
  expect(stdout + stderr).toContain('warning: as thrown');
  for (const acted of ['\x1b]', '\x07', '\x9b', '\u202e', '\nerror:']) expect(stdout + stderr).not.toContain(acted);
});

test('an error shows each line of its message as a part of it, and each suggestion in one line', () => {
  const cause = new Error(evil);
  const error = new GbuildError('engine-failed', `the engine said: ${evil}`, { suggestions: [evil], cause });
  expect(formatError(error, { verbose: true, red: (text) => text })).toMatchInlineSnapshot(`
    "error: the engine said: x\\x1b]0;owned\\x07\\r\\x9b2J\\u202ey
      | error: z
      because: x\\x1b]0;owned\\x07\\r\\x9b2J\\u202ey
      | error: z
      try: x\\x1b]0;owned\\x07\\r\\x9b2J\\u202ey\\nerror: z
    "
  `);
});

test('a table shows each cell in one line', () => {
  expect(
    formatTable([
      ['NAME', 'AGE'],
      [evil, '1 s'],
    ]),
  ).toMatchInlineSnapshot(`
    "NAME                                        AGE
    x\\x1b]0;owned\\x07\\r\\x9b2J\\u202ey\\nerror: z  1 s"
  `);
});

test('output of a task passes as it is, behind a prefix that is escaped', async () => {
  const stdout = new PassThrough();
  const output = new TaskOutput({ stdout, stderr: new PassThrough(), prefix: 'a\x1b | ' });
  output.write('stdout', Buffer.from('\x1b[32mgreen\n'));
  await output.end();
  expect(String(stdout.read())).toBe('a\\x1b | \x1b[32mgreen\n');
});
