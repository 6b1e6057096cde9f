import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, inject, test } from 'vitest';
import { copyOf, git, openCli } from '../../support/cli/cli.ts';
import { removeRepository } from '../../support/engines/engine-images.ts';
import { describeVendoredGems, releaseAndAsk } from '../../support/toolchains/jruby-suite.ts';

const engine = inject('engineHost');
const cli = openCli({ engine });
const name = `e2e-jruby-${process.pid}`;
afterAll(async () => {
  await removeRepository(engine, name);
  cli[Symbol.dispose]();
});

test("a repository of JRuby's is tested with the gems that JRuby brings, and released as an image that answers", {
  timeout: 600_000,
}, async () => {
  const cwd = copyOf('examples/jruby-hello', join(cli.dir, 'own'), name);
  const { exitCode, stdout, stderr } = await cli.run(['lock'], { cwd });
  expect(exitCode, `${stdout}${stderr}`).toBe(0);
  expect(readFileSync(join(cwd, 'gbuild.lock'), 'utf8')).toContain('\n  version: 9.4.15.0\n');
  expect(await releaseAndAsk(cli, cwd, name, '2 runs, 3 assertions, 0 failures')).toEqual({
    layers: ['application'],
    answer: { hello: 'world', ruby: 'jruby 9.4.15.0' },
  });
  expect(git(cwd, 'status', '--porcelain')).toBe('');
});

describeVendoredGems('9.4');
describeVendoredGems('10');
