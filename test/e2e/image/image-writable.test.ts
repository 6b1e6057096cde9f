import { afterAll, expect, inject, test } from 'vitest';
import { openCli } from '../../support/cli/cli.ts';
import { removeRepository, runImage } from '../../support/engines/engine-images.ts';

const engine = inject('engineHost');
const name = `e2e-writable-${process.pid}`;
const cli = openCli({ engine, toolchain: inject('baseImage') });
afterAll(async () => {
  await removeRepository(engine, name);
  cli[Symbol.dispose]();
});

const script = `#!/bin/sh
set -e
cd /app
id -u
echo kept >uploads/first.txt
echo more >>uploads/seed/list.txt
cat uploads/seed/list.txt
mkdir /var/lib/hello/new
stat -c %a /tmp
touch /tmp/hello/x
touch server 2>/dev/null || echo no more than that
ls -m uploads
`;

test('the user of an image writes to the folders of image.writable, and nowhere else', async () => {
  const spec = `image:
  base: ${inject('baseImage')}
  entrypoint: [/app/server]
  layers: [{name: application, from: [server, uploads]}]
  writable: [uploads, /var/lib/hello, /tmp/hello]
`;
  const files = { server: script, 'uploads/seed/list.txt': 'one\n', 'uploads/.gitkeep': '' };
  const cwd = cli.tasks(name, spec, files);
  const plan = await cli.run(['plan', 'image'], { cwd });
  expect(plan.stdout).toContain('writable    /app/uploads\n            /tmp/hello\n            /var/lib/hello\n');
  const { exitCode, stdout, stderr } = await cli.run(['image'], { cwd });
  expect(exitCode, stderr).toBe(0);
  const image = stdout.trim().split('\n').at(-1)!.split(' ')[0]!;
  expect(await runImage(engine, image)).toEqual('65532\none\nmore\n1777\nno more than that\nfirst.txt, seed\n');
});
