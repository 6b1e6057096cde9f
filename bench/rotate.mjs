import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startRegistry } from '../test/support/registry/registry.ts';
import { env } from './pairs.mjs';

const gbuild = fileURLToPath(new URL('../bin/run.js', import.meta.url));
const node = process.execPath;
const releases = 50;
const base = 'bench-rotate-base';

const specText = `gbuild: 1
name: acme/app
toolchain: node@^22
image: { base: "${base}:1", build: false, entrypoint: [node, server.js] }
`;

/**
 * A fleet whose base has moved: each of 50 names has a release on a channel. The peer is `crane rebase` of each, which
 * finds both bases in the registry, starts nothing and moves no channel.
 */
export async function benchRotate(docker) {
  const dir = mkdtempSync(join(tmpdir(), 'gbuild-bench-rotate-'));
  await using registry = await startRegistry();
  const { host } = registry;
  const own = { ...env, XDG_DATA_HOME: join(dir, '.data'), XDG_CONFIG_HOME: dir };
  const call = (file, args, cwd = dir) =>
    execFileSync(file, args, { cwd, env: own, stdio: ['ignore', 'pipe', 'pipe'] });
  const git = (...args) => call('git', ['-c', 'user.name=a', '-c', 'user.email=a@b', ...args]);
  const names = Array.from({ length: releases }, (_, index) => `acme/app-${index}`);
  try {
    git('init', '--quiet');
    writeFileSync(join(dir, '.gitignore'), '.data/\n');
    writeFileSync(join(dir, 'gbuild.yml'), specText);
    writeFileSync(join(dir, 'server.js'), 'setInterval(() => {}, 1000);\n');
    call(node, [gbuild, 'lock']);
    const tags = call(docker, ['images', '--format', '{{.Repository}}:{{.Tag}}', 'gbuild/node']).toString().split('\n');
    const runtime = tags.find((tag) => /:22\..*-runtime$/.test(tag));
    call(docker, ['tag', runtime, `${base}:1`]);
    call(docker, ['tag', runtime, `${host}/base:1`]);
    git('add', '-A');
    git('commit', '--quiet', '-m', 'x');
    call(node, [gbuild, 'image', '--release', '1.0.0', '--push', '--registry', host, '--no-attest']);
    for (const name of names) {
      call('crane', ['copy', '--insecure', `${host}/acme/app:1.0.0`, `${host}/${name}:1.0.0`]);
      call(node, [gbuild, 'channel', 'set', 'canary', '1.0.0', '--name', name, '--registry', host], tmpdir());
    }
    const id = call(docker, ['create', '--entrypoint', 'sh', `${base}:1`, '-c', 'echo fixed >/tmp/fixed'])
      .toString()
      .trim();
    call(docker, ['start', '-a', id]);
    const config = ['--change', 'ENTRYPOINT []', '--change', 'CMD []'];
    call(docker, ['commit', ...config, id, `${base}:1`]);
    call(docker, ['tag', `${base}:1`, `${host}/base:2`]);
    call(docker, ['rm', id]);
    for (const tag of ['1', '2']) call(docker, ['push', '-q', `${host}/base:${tag}`]);
    const began = performance.now();
    const args = [gbuild, 'rotate', ...names, '--registry', host, '--no-attest', '--json'];
    const report = JSON.parse(call(node, args, tmpdir()).toString());
    const ours = (performance.now() - began) / 1000 / releases;
    const sent = report.releases.map(({ bytesSent }) => bytesSent);
    console.log(
      `bytes sent: ${sent[0]} for the first release, ${sent.slice(1).reduce((sum, each) => sum + each, 0) / (releases - 1)} for each other one`,
    );
    const peerBegan = performance.now();
    for (const name of names) {
      const bases = ['--old_base', `${host}/base:1`, '--new_base', `${host}/base:2`];
      call('crane', ['rebase', '--insecure', `${host}/${name}:1.0.0`, ...bases, '--tag', `${host}/${name}:peer`]);
    }
    const peer = (performance.now() - peerBegan) / 1000 / releases;
    return { ours, peer, value: ours / peer, unit: 'ratio' };
  } finally {
    for (const tag of [`${base}:1`, `${host}/base:1`, `${host}/base:2`])
      execFileSync(docker, ['rmi', '-f', tag], { stdio: 'ignore' });
    rmSync(dir, { recursive: true, force: true });
  }
}
