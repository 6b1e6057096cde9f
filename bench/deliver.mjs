import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { comparePairs, env } from './pairs.mjs';

const gbuild = fileURLToPath(new URL('../bin/run.js', import.meta.url));
const node = process.execPath;

const specText = `gbuild: 1
name: bench-deliver
toolchain: node@^22
image: { build: false, entrypoint: [node, server.js] }
`;

const novaText = `service_name: bench-deliver
team_name: bench
port: 8080
healthcheck_url: /health
environments:
- name: main
  aws_profile: default
  aws_region: us-east-1
  deploy_arn: arn
  deployment_bucket: deployments
  stacks:
    - {stack_name: prod, stack_type: production, stack_deploy_config: OneAtATime}
`;

/** Nova's bundle of an image of 300 MB: Node's own image, and 140 MB that compress to three quarters, as programs do. */
export function benchDeliver(docker) {
  const dir = mkdtempSync(join(tmpdir(), 'gbuild-bench-deliver-'));
  const own = { ...env, XDG_DATA_HOME: join(dir, '.data') };
  const git = (...args) => execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@b', ...args], { cwd: dir });
  try {
    git('init', '--quiet');
    writeFileSync(join(dir, '.gitignore'), '.data/\n.out/\n');
    writeFileSync(join(dir, 'gbuild.yml'), specText);
    writeFileSync(join(dir, 'nova.yml'), novaText);
    writeFileSync(join(dir, 'server.js'), 'setInterval(() => {}, 1000);\n');
    mkdirSync(join(dir, 'dependencies'));
    for (let i = 0; i < 35; i += 1)
      writeFileSync(join(dir, `dependencies/${i}`), randomBytes(3_000_000).toString('base64'));
    execFileSync(node, [gbuild, 'lock'], { cwd: dir, env: own, stdio: 'ignore' });
    git('add', '-A');
    git('commit', '--quiet', '-m', 'x');
    execFileSync(node, [gbuild, 'image', '--release', '1.0.1'], { cwd: dir, env: own, stdio: 'ignore' });
    mkdirSync(join(dir, '.out'));
    return comparePairs({
      ours: { file: node, args: [gbuild, 'deliver', 'nova', '1.0.1', '--output', '.out'], cwd: dir, env: own },
      peer: {
        file: 'sh',
        args: ['-c', `'${docker}' save bench-deliver:1.0.1 | gzip -1 >.out/peer.tar.gz`],
        cwd: dir,
      },
      rounds: 5,
    });
  } finally {
    execFileSync(docker, ['rmi', '--force', 'bench-deliver:1.0.1'], { stdio: 'ignore' });
    rmSync(dir, { recursive: true, force: true });
  }
}
