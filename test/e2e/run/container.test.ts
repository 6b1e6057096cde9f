import { chownSync, lstatSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { copyInstallation, git, openCli } from '../../support/cli/cli.ts';
import { removeVolume } from '../../support/engines/engine-left.ts';

const engine = inject('engineHost');
const cli = openCli({ engine, toolchain: inject('baseImage') });
afterAll(() => cli[Symbol.dispose]());

const isRoot = process.getuid?.() === 0;
const socket = engine.startsWith('unix://') ? engine.slice('unix://'.length) : undefined;

describe('the user in the container', () => {
  test('is the caller, with a name, a home that can be written and a git that trusts the workspace', async () => {
    const cwd = cli.tasks(
      'e2e-user',
      'tasks:\n  test: id -u; id -g; whoami; cd ~ && pwd && touch mine && echo "$HOME"\n',
    );
    const { stdout, exitCode } = await cli.run(['test'], { cwd });
    const [uid, gid] = [process.getuid?.(), process.getgid?.()];
    expect([exitCode, stdout]).toEqual([
      0,
      expect.stringMatching(`^${uid}\n${gid}\n\\w+\n/home/gbuild\n/home/gbuild\n$`),
    ]);
  });

  test('owns what the task writes, as does every folder above it', async () => {
    const cwd = cli.tasks(
      'e2e-owner',
      'tasks:\n  test: mkdir -p out/deep && echo x > out/deep/file && ln -s file out/deep/link\n',
    );
    expect((await cli.run(['test'], { cwd })).exitCode).toBe(0);
    for (const path of ['out', 'out/deep', 'out/deep/file', 'out/deep/link', 'gbuild.lock'])
      expect([path, lstatSync(join(cwd, path)).uid]).toEqual([path, process.getuid?.()]);
  });

  // Only root can become someone else, and only a socket tells who may use it.
  test.skipIf(!isRoot || socket === undefined)(
    'is another user of this machine, who keeps no capability and can still write the workspace, home and caches',
    async () => {
      const uid = 4242;
      const name = `e2e-other-${process.pid}`;
      const cwd = cli.tasks(
        'e2e-other',
        `caches: [{name: ${name}, path: /cache/kept}]\ntasks:\n  test: id -u; id -g; whoami; grep CapEff /proc/self/status; touch ~/x /cache/kept/x made\n`,
      );
      const own = join(cli.dir, 'other-home');
      mkdirSync(own);
      for (const path of [own, cwd]) chownSync(path, uid, uid);
      const { exitCode, stdout, stderr } = await cli.run(['test'], {
        cwd,
        env: { HOME: own, XDG_CACHE_HOME: own, XDG_DATA_HOME: own, XDG_STATE_HOME: own },
        as: { uid, gid: uid, groups: [statSync(socket!).gid], installed: copyInstallation(join(cli.dir, 'installed')) },
      });
      await removeVolume(engine, `gbuild-cache-${name}-${uid}`);
      expect([exitCode, stdout], stderr).toEqual([0, `${uid}\n${uid}\ngbuild\nCapEff:\t0000000000000000\n`]);
      expect([statSync(join(cwd, 'made')).uid, statSync(join(cwd, 'gbuild.lock')).uid]).toEqual([uid, uid]);
    },
  );
});

describe('a cache', () => {
  test('is kept between runs of different checkouts and written by two runs at once', async () => {
    const name = `e2e-kept-${process.pid}`;
    const body = (task: string) =>
      `caches: [{name: ${name}, path: /cache/kept, env: {KEPT: /cache/kept}}]\ntasks:\n  test: ${task}\n`;
    const meet = (own: string, other: string) =>
      `touch $KEPT/${own}; for i in $(seq 600); do [ -e $KEPT/${other} ] && exit 0; sleep 0.1; done; exit 9`;
    const [one, two, three] = [
      cli.tasks('e2e-cache-1', body(meet('a', 'b'))),
      cli.tasks('e2e-cache-2', body(meet('b', 'a'))),
      cli.tasks('e2e-cache-3', body('ls $KEPT')),
    ];
    try {
      const both = await Promise.all([cli.run(['test'], { cwd: one }), cli.run(['test'], { cwd: two })]);
      expect(both.map(({ exitCode }) => exitCode)).toEqual([0, 0]);
      expect((await cli.run(['test'], { cwd: three })).stdout).toBe('a\nb\n');
    } finally {
      await removeVolume(engine, `gbuild-cache-${name}-${process.getuid?.()}`);
    }
  });
});

describe("the host's own CA roots", () => {
  const marker = Buffer.from(`a root of our own ${process.pid}`).toString('base64');
  const pem = `-----BEGIN CERTIFICATE-----\n${marker}\n-----END CERTIFICATE-----\n`;

  test('are trusted in the run by every tool, and stand nowhere afterwards', async () => {
    const name = `e2e-roots-${process.pid}`;
    const cwd = cli.tasks(
      'e2e-roots',
      `caches: [{name: ${name}, path: /cache/kept}]\ntasks:\n  test: |\n    for file in "$SSL_CERT_FILE" "$NODE_EXTRA_CA_CERTS" "$GIT_SSL_CAINFO" "$CURL_CA_BUNDLE" /etc/ssl/certs/ca-certificates.crt; do\n      grep -q '${marker}' "$file" || echo "missing in $file"\n    done\n    grep -c BEGIN "$SSL_CERT_FILE"\n  after: grep -rl '${marker}' /etc /home /cache /workspace --exclude=gbuild.yml || echo nowhere\n`,
    );
    const roots = join(cli.dir, 'roots.pem');
    writeFileSync(roots, pem);
    const { exitCode, stdout } = await cli.run(['test'], { cwd, env: { NODE_EXTRA_CA_CERTS: roots } });
    expect([exitCode, Number(stdout) > 100]).toEqual([0, true]);
    const after = await cli.run(['run', 'after'], { cwd, env: { NODE_EXTRA_CA_CERTS: undefined } });
    await removeVolume(engine, `gbuild-cache-${name}-${process.getuid?.()}`);
    expect(after.stdout).toBe('nowhere\n');
    expect(git(cwd, 'status', '--porcelain', '--ignored')).toBe('?? gbuild.lock');
  });

  test('and proxies reach a run, where the caller has them', async () => {
    const cwd = cli.tasks('e2e-proxy', 'tasks:\n  test: env | grep -i _proxy | sort\n');
    const env = {
      HTTPS_PROXY: 'http://proxy.test:3128',
      no_proxy: 'localhost',
      https_proxy: undefined,
      NO_PROXY: undefined,
    };
    const { stdout } = await cli.run(['test'], { cwd, env });
    expect(stdout.split('\n')).toEqual(
      expect.arrayContaining(['HTTPS_PROXY=http://proxy.test:3128', 'no_proxy=localhost']),
    );
  });
});

describe("a proxy at this machine's loopback address", () => {
  let server: Server;
  let env: Record<string, string>;
  beforeAll(async () => {
    server = createServer((request, response) => response.end(`the proxy answered for ${request.url}\n`));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    env = { HTTP_PROXY: `http://ada:pw@localhost:${(server.address() as AddressInfo).port}`, NO_PROXY: '' };
  });
  afterAll(() => server.close());

  /** Asks by bash alone, for the small image has no HTTP client. */
  const ask = `place=\${http_proxy##*@}; exec 3<>"/dev/tcp/\${place%:*}/\${place##*:}"; printf 'GET http://page.test/ HTTP/1.0\\r\\n\\r\\n' >&3; cat <&3`;

  test.each(['bridge', 'host'])('is reached by a task and by gbuild shell on network %s', async (network) => {
    const cwd = cli.tasks(
      `e2e-loopback-${network}`,
      `network: ${network}\ntasks:\n  test: {run: [bash, -c, ${JSON.stringify(ask)}]}\n`,
    );
    const { exitCode, stdout, stderr } = await cli.run(['test'], { cwd, env });
    expect([exitCode, stdout], stderr).toEqual([
      0,
      expect.stringContaining('the proxy answered for http://page.test/'),
    ]);
    const shell = await cli.run(['shell'], { cwd, env, input: `bash -c '${ask.replaceAll("'", `'\\''`)}'\n` });
    expect(shell.stdout).toContain('the proxy answered');
    const doctor = await cli.run(['doctor', 'proxy'], { cwd, env });
    expect(doctor.stdout).toMatch(/^ok +proxy .* by a relay at \d/m);
    expect(doctor.stdout).not.toContain('pw');
  });
});

describe('the container', () => {
  test('gains no privileges and has the few capabilities that root needs in its own files', async () => {
    const cwd = cli.tasks('e2e-caps', 'tasks:\n  test: grep -E "^(CapEff|CapBnd|NoNewPrivs)" /proc/self/status\n');
    const { stdout } = await cli.run(['test'], { cwd });
    // CHOWN, DAC_OVERRIDE, FOWNER, FSETID, KILL, SETGID, SETUID (capability.h: bits 0, 1, 3 to 7)
    const mask = isRoot ? '00000000000000fb' : '0000000000000000';
    expect(stdout).toBe(`CapEff:\t${mask}\nCapBnd:\t${mask}\nNoNewPrivs:\t1\n`);
  });

  test('is limited in memory and processes, and a task that wants more is told so', async () => {
    const read = (v2: string, v1: string) => `cat /sys/fs/cgroup/${v2} 2>/dev/null || cat /sys/fs/cgroup/${v1}`;
    const cwd = cli.tasks(
      'e2e-limits',
      `resources: {memory: 64m, pids: 77, cpus: 0.5}\ntasks:\n  test: |\n    ${read('memory.max', 'memory/memory.limit_in_bytes')}\n    ${read('pids.max', 'pids/pids.max')}\n  greedy: {run: [dd, if=/dev/zero, of=/dev/null, bs=500M, count=1]}\n`,
    );
    expect((await cli.run(['test'], { cwd })).stdout).toBe(`${64 * 1024 * 1024}\n77\n`);
    const { exitCode, stderr } = await cli.run(['run', 'greedy'], { cwd });
    expect([exitCode, stderr]).toEqual([137, expect.stringContaining('killed for using more memory than its limit')]);
  });

  test('has an init process that takes in orphans, so that no zombie stays', async () => {
    const script = `sh -c 'sleep 0.1 &'; [ $$ -ne 1 ] || echo init; sleep 1; grep -l "^State:.Z" /proc/[0-9]*/status || echo none`;
    const cwd = cli.tasks('e2e-init', `tasks:\n  test: ${JSON.stringify(script)}\n`);
    expect((await cli.run(['test'], { cwd })).stdout).toBe('none\n');
  });

  test('ends with its main process, though a child still holds the output open', async () => {
    const cwd = cli.tasks('e2e-holder', 'tasks:\n  test: sleep 600 & echo done\n');
    expect(await cli.run(['test'], { cwd })).toMatchObject({ exitCode: 0, stdout: 'done\n' });
  });

  test('has no network where the spec says none, and one otherwise', async () => {
    const interfaces = 'tail -n +3 /proc/net/dev | cut -d: -f1 | tr -d " " | sort';
    const without = cli.tasks('e2e-offline', `network: none\ntasks:\n  test: ${JSON.stringify(interfaces)}\n`);
    const withOne = cli.tasks('e2e-online', `tasks:\n  test: ${JSON.stringify(interfaces)}\n`);
    expect((await cli.run(['test'], { cwd: without })).stdout).not.toContain('eth');
    expect((await cli.run(['test'], { cwd: withOne })).stdout).toContain('eth0\n');
  });

  test('has the same name for every run: it would get into build outputs', async () => {
    const cwd = cli.tasks('e2e-hostname', 'tasks:\n  test: hostname\n');
    expect((await cli.run(['test'], { cwd })).stdout).toBe('gbuild\n');
  });
});

test('a run leaves nothing in the repository but the lock', async () => {
  const cwd = cli.tasks('e2e-tidy', 'tasks:\n  test: "true"\n');
  await cli.run(['test'], { cwd });
  expect(readdirSync(cwd).sort()).toEqual(['.git', 'gbuild.lock', 'gbuild.yml']);
});
