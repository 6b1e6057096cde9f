import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import type { DeliveryRecord } from '../../../src/actions/deliver/deliver.ts';
import { commitAll } from '../../support/cli/cli.ts';
import { type DeliveryRig, openDelivery, readDelivered } from '../../support/deliver/delivery-rig.ts';
import { removeRepository } from '../../support/engines/engine-images.ts';
import { installPackages, isInstalled } from '../../support/engines/test-engine.ts';
import { anyProgram } from '../../support/images/any-program.ts';
import { askUntilUp } from '../../support/network/ask-until-up.ts';
import { findFreePort } from '../../support/registry/registry.ts';
import { runToEnd } from '../../support/runner/make-once.ts';

let rig: DeliveryRig;
let imageId: string;
let lxcDir: string;

beforeAll(async () => {
  const missing = ['lxc-create', 'skopeo', 'umoci', 'jq'].filter((program) => !isInstalled(program));
  if (missing.length > 0) await installPackages(['lxc', 'skopeo', 'umoci', 'jq']);
  lxcDir = mkdtempSync(join(tmpdir(), 'gbuild-lxc-'));
  rig = await openDelivery({ word: 'lxc', image: '  env: { TZ: "UTC # 1" }\n' });
  ({ imageId } = await rig.release('1.0.1'));
});
afterAll(async () => {
  await rig[Symbol.asyncDispose]();
  rmSync(lxcDir, { recursive: true, force: true });
});

/** Makes a container of the delivery, as its users do. */
async function create(name: string, { dir }: DeliveryRecord, include: string[]): Promise<void> {
  const url = `oci:${dir}/image:1.0.1`;
  await runToEnd('lxc-create', [
    '-P',
    lxcDir,
    '-n',
    name,
    '-t',
    'oci',
    '-f',
    '/dev/null',
    '--',
    '--no-cache',
    '--url',
    url,
  ]);
  const file = join(lxcDir, name, 'config');
  await execa({ stdin: 'ignore' })`sh -c ${`printf '%s\\n' "$@" >>"$0"`} ${file} ${include}`;
}

test('LXC runs the release with its arguments, variables and limits, and nothing is edited', async () => {
  const port = await findFreePort();
  const greeting = `it's "5 $" \\ 100 % # ünï `;
  const args = ['--name', 'a b', '', '$HOME #1 ünï'];
  const cgroup = existsSync('/sys/fs/cgroup/cgroup.controllers') ? 2 : 1;
  rig.describe(`  service:
    env: { PORT: "${port}", GREETING: ${JSON.stringify(greeting)} }
    args: ${JSON.stringify(args)}
    memory: 256m
    cpu: 0.5
    volumes: [{ from: ${rig.rootDir}, to: /srv/a b, readOnly: true }]
  targets:
    fleet: { kind: lxc, options: { pids: 64, cgroup: ${cgroup} } }
`);
  const record = await rig.delivered(['fleet', '1.0.1', '--output', 'out/fleet']);
  expect(record.imageId).toBe(imageId);
  const { manifests } = JSON.parse(readDelivered(record, 'image/index.json')) as { manifests: { digest: string }[] };
  const manifest = readDelivered(record, `image/blobs/${manifests[0]!.digest.replace(':', '/')}`);
  expect((JSON.parse(manifest) as { config: { digest: string } }).config.digest).toBe(imageId);

  const name = `gbuild-test-${process.pid}`;
  await create(name, record, ['lxc.net.0.type = none', `lxc.include = ${record.dir}/lxc.conf`]);
  const child = spawn('lxc-execute', ['-P', lxcDir, '-n', name], { stdio: ['ignore', 'pipe', 'pipe'] });
  let log = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (log += text));
  try {
    const answer = await askUntilUp(`http://127.0.0.1:${port}/`, 60).catch(() => undefined);
    expect(answer, log).toEqual({ version: '1.0.1', greeting, args });
    expect(await readLimits(name, cgroup)).toEqual({ memory: 256 << 20, cpu: 0.5, pids: 64 });
    const seen = await runToEnd('lxc-attach', ['-P', lxcDir, '-n', name, '--', 'cat', '/srv/a b/package.json']);
    expect(seen).toBe(readFileSync(join(rig.rootDir, 'package.json'), 'utf8').trimEnd());
  } finally {
    await execa('lxc-stop', ['-P', lxcDir, '-n', name, '-k'], { reject: false, stdin: 'ignore' });
    await execa('lxc-destroy', ['-P', lxcDir, '-n', name, '-f'], { reject: false, stdin: 'ignore' });
  }
});

async function readLimits(name: string, cgroup: number): Promise<object> {
  const read = (key: string) => runToEnd('lxc-cgroup', ['-P', lxcDir, '-n', name, key]);
  const pids = Number(await read('pids.max'));
  if (cgroup === 1)
    return {
      memory: Number(await read('memory.limit_in_bytes')),
      cpu: Number(await read('cpu.cfs_quota_us')) / Number(await read('cpu.cfs_period_us')),
      pids,
    };
  const [quota, period] = (await read('cpu.max')).split(' ').map(Number);
  return { memory: Number(await read('memory.max')), cpu: quota! / period!, pids };
}

test('a release without /etc is refused, and nothing is written', async () => {
  const name = `${rig.name}-bare`;
  const rootDir = rig.cli.repository('bare', {
    'gbuild.yml': `gbuild: 1
name: ${name}
toolchain: node@^22
image: { base: scratch, entrypoint: [/app/run], build: false }
`,
    run: anyProgram,
  });
  const run = (...args: string[]) => rig.cli.run(args, { cwd: rootDir });
  expect((await run('lock')).exitCode).toBe(0);
  commitAll(rootDir, 'lock');
  const released = await run('image', '--release', '1.0.1');
  await removeRepository(inject('engineHost'), name);
  expect(released.exitCode, released.stderr).toBe(0);
  const { exitCode, stderr } = await run('deliver', 'lxc', '1.0.1', '--output', 'out');
  expect([exitCode, rig.plain(stderr)]).toMatchInlineSnapshot(`
    [
      2,
      "error: acme/NAME-bare:1.0.1 cannot be delivered to lxc: its files have no /etc, in which LXC writes the name of the machine
      try: leave image.base out of gbuild.yml, or name a base that has an /etc; then make a new release
    ",
    ]
  `);
  expect(existsSync(join(rootDir, 'out'))).toBe(false);
});
