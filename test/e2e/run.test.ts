import { afterAll, expect, inject, test } from 'vitest';
import { openCli } from '../support/cli.ts';
import { listLeft, nothingLeft } from '../support/engine-left.ts';

const engine = inject('engineHost');
const cli = openCli({ engine });
afterAll(() => cli[Symbol.dispose]());

test("gives back a failing task's own exit code and leaves nothing", async () => {
  const cwd = cli.repository('failing', {
    'gbuild.yml': `gbuild: 1\nname: e2e-failing\ntoolchain: ${inject('baseImage')}\ntasks:\n  test: exit 7\n`,
  });
  const { exitCode } = await cli.run(['test'], { cwd });
  expect(exitCode).toBe(7);
  expect(await listLeft(engine, 'io.gbuild.repository=e2e-failing')).toEqual(nothingLeft);
});
