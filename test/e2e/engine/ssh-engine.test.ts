import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { openCli } from '../../support/cli/cli.ts';
import { askEngine } from '../../support/engines/engine-http.ts';
import { type SshEngine, startSshEngine } from '../../support/remote-engines/ssh-engine.ts';

const cli = openCli({ toolchain: inject('baseImage') });
let ssh: SshEngine;
let env: Record<string, string>;

beforeAll(async () => {
  ssh = await startSshEngine(inject('engineHost'), [cli.dir]);
  env = { PATH: `${ssh.binDir}:${process.env.PATH}` };
});
afterAll(async () => {
  await ssh?.[Symbol.asyncDispose]();
  cli[Symbol.dispose]();
});

/** Runs work under another configuration of ssh's than the one that fits. */
async function withConfig<T>(config: string, work: () => Promise<T>): Promise<T> {
  writeFileSync(ssh.configFile, config);
  try {
    return await work();
  } finally {
    writeFileSync(ssh.configFile, ssh.config);
  }
}

/** What gbuild says of an engine that it does not reach: the sentence and the commands. */
async function failureOf(url: string, more: Record<string, string> = env) {
  const { exitCode, stdout } = await cli.run(['engine', 'show', '--host', url, '--json'], { env: more });
  const { error } = JSON.parse(stdout);
  const clean = (text: string) =>
    text
      .replaceAll(String(ssh.sshPort), 'PORT')
      .replaceAll(process.env.USER ?? 'root', 'ME')
      .replace(/\S*known_hosts\S*/g, 'KNOWN_HOSTS')
      .replace(/(Could not resolve hostname \S+): [^)]*/, '$1: REASON');
  return [exitCode, error.code, clean(error.message), error.suggestions.map(clean)];
}

describe('an engine over ssh', () => {
  test('says what it is, by its address and by a docker context', async () => {
    const show = await cli.run(['engine', 'show', 'ssh://box', '--json'], { env });
    expect(JSON.parse(show.stdout)).toMatchObject({ engine: { url: 'ssh://box' }, info: { kind: 'docker' } });
    const config = join(cli.dir, 'docker');
    const folder = join(config, 'contexts/meta', createHash('sha256').update('far').digest('hex'));
    mkdirSync(folder, { recursive: true });
    const meta = { Name: 'far', Endpoints: { docker: { Host: `ssh://build@127.0.0.1:${ssh.sshPort}` } } };
    writeFileSync(join(folder, 'meta.json'), JSON.stringify(meta));
    const doctor = await cli.run(['doctor', 'engine', '--context', 'far'], { env: { ...env, DOCKER_CONFIG: config } });
    expect([doctor.exitCode, doctor.stdout]).toEqual([
      0,
      expect.stringMatching(
        /^ok +engine +ssh:\/\/build@127\.0\.0\.1:\d+ \(docker .*because the flag --context names it$/m,
      ),
    ]);
  });

  test('gives child processes its address', async () => {
    const { stdout } = await cli.run(['doctor', 'engine', '--shell'], { env: { ...env, DOCKER_HOST: 'ssh://box' } });
    expect(stdout).toContain("export DOCKER_HOST='ssh://box'");
  });

  test('runs a task over one connection and a few streams', async () => {
    const cwd = cli.tasks('e2e-ssh', 'tasks:\n  test: echo over ssh; echo made >out; exit 7\n');
    await cli.run(['test', '--host', 'ssh://box'], { cwd, env });
    const before = ssh.calls().length;
    const { exitCode, stdout } = await cli.run(['test', '--host', 'ssh://box'], { cwd, env });
    expect([exitCode, stdout, readFileSync(join(cwd, 'out'), 'utf8')]).toEqual([7, 'over ssh\n', 'made\n']);
    const calls = ssh.calls().slice(before);
    expect(calls.filter((call) => call.includes('ControlMaster=yes'))).toHaveLength(1);
    expect(calls.filter((call) => call.includes('dial-stdio')).length).toBeLessThanOrEqual(8);
  });

  test('is sent a workspace that it does not see, over the same connection, and gives back what was made', async () => {
    using other = openCli({ toolchain: inject('baseImage'), ownCache: true });
    const body =
      'tasks:\n  test: {run: "cat text; echo made >out; mkdir -p r; echo x >r/r.xml; exit 7", reports: [r/*.xml]}\n';
    const cwd = other.tasks('e2e-ssh-sent', body, { text: 'first\n' });
    const first = await other.run(['test', '--host', 'ssh://box'], { cwd, env });
    writeFileSync(join(cwd, 'text'), 'second\n');
    const before = ssh.calls().length;
    const second = await other.run(['test', '--host', 'ssh://box', '--json'], { cwd, env });
    expect([first.exitCode, first.stdout, second.exitCode]).toEqual([7, 'first\n', 7]);
    expect(second.stderr).toContain('second\n');
    expect(JSON.parse(second.stdout).error.facts.tasks[0].reports).toEqual(['r/r.xml']);
    expect(readFileSync(join(cwd, 'out'), 'utf8')).toBe('made\n');
    const calls = ssh.calls().slice(before);
    expect(calls.filter((call) => call.includes('ControlMaster=yes'))).toHaveLength(1);
  });

  test('hears a Ctrl-C that only gbuild is meant to hear: the container is asked, and removed', async () => {
    const cwd = cli.tasks(
      'e2e-ssh-stop',
      'tasks:\n  test: trap "echo asked; exit 1" TERM; echo ready; while :; do sleep 0.1; done\n',
    );
    const running = cli.start(['test', '--host', 'ssh://box'], { cwd, env, terminal: true, input: 'open' });
    await running.until(/^ready\r?$/m);
    running.type('\x03');
    expect((await running.ended).exitCode).toBe(130);
    expect(running.output()).toMatch(/^asked\r?$/m);
    expect(JSON.parse((await askEngine(ssh.host, 'GET', '/containers/json?all=1')).text)).toEqual([]);
  });

  test('goes on with a task when its connection broke, over a new one', async () => {
    const cwd = cli.tasks(
      'e2e-ssh-broken',
      'tasks:\n  test: for i in 1 2 3 4 5 6; do echo line $i; sleep 1; done; exit 7\n',
    );
    const before = ssh.calls().length;
    const running = cli.start(['test', '--host', 'ssh://box'], { cwd, env });
    await running.until(/^line 2$/m);
    await ssh.exec('pkill -KILL -u build sshd');
    const { exitCode, stdout } = await running.ended;
    expect([exitCode, stdout]).toEqual([7, [1, 2, 3, 4, 5, 6].map((turn) => `line ${turn}\n`).join('')]);
    const opened = ssh
      .calls()
      .slice(before)
      .filter((call) => call.includes('ControlMaster=yes'));
    expect(opened).toHaveLength(2);
  });

  test('lets ssh ask for a password on a terminal, and before anything else', async () => {
    await ssh.exec('echo build:open-sesame | chpasswd');
    const config = ssh.config.replace(/IdentityFile .*/, 'IdentityFile none');
    await withConfig(config, async () => {
      const asking = cli.start(['toolchain', 'ls', '--host', 'ssh://box'], { env, terminal: true, input: 'open' });
      await asking.until(/password: $/);
      asking.type('open-sesame\n');
      expect((await asking.ended).exitCode).toBe(0);
      expect(asking.output()).toContain('IMAGE');
      const { exitCode, stderr } = await cli.run(['toolchain', 'ls', '--host', 'ssh://box'], { env });
      expect([exitCode, stderr]).toEqual([3, expect.stringContaining('box refused your login')]);
    });
  });

  test("goes over the jump host of the user's configuration", async () => {
    const key = readFileSync(join(ssh.binDir, '../host_key.pub'), 'utf8');
    const known = join(ssh.binDir, '../known_hosts');
    writeFileSync(known, `${readFileSync(known, 'utf8')}inner ${key}`);
    const config = `Host inner\n  HostName 127.0.0.1\n  HostKeyAlias inner\n  Port 22\n  ProxyJump box\n${ssh.config}`;
    const { stdout } = await withConfig(config, () => cli.run(['engine', 'show', 'ssh://inner', '--json'], { env }));
    expect(JSON.parse(stdout)).toMatchObject({ info: { kind: 'docker' } });
  });

  test("uses the connection that the user's configuration shares, and leaves it open", async () => {
    const socket = join(cli.dir, 'shared');
    const share = `  ControlMaster auto\n  ControlPath ${socket}\n  ControlPersist 60\n`;
    await withConfig(`${ssh.config}${share}`, async () => {
      const before = ssh.calls().length;
      for (let turn = 0; turn < 2; turn += 1)
        expect((await cli.run(['engine', 'show', 'ssh://box'], { env })).exitCode).toBe(0);
      expect(
        ssh
          .calls()
          .slice(before)
          .filter((call) => call.includes('ControlPath=')),
      ).toEqual([]);
      expect(
        ssh
          .calls()
          .slice(before)
          .filter((call) => call.includes(' -f ')),
      ).toHaveLength(1);
      execFileSync(join(ssh.binDir, 'ssh'), ['-O', 'exit', 'box'], { stdio: 'ignore' });
    });
  });

  test('whose client there is podman is found as well', async () => {
    const stand =
      'mv /usr/bin/docker /usr/bin/moved; printf \'#!/bin/sh\\nexec moved "$@"\\n\' >/usr/bin/podman; chmod +x /usr/bin/podman';
    await ssh.exec(stand);
    try {
      expect((await cli.run(['engine', 'show', 'ssh://box'], { env })).exitCode).toBe(0);
      await ssh.exec('rm /usr/bin/podman');
      expect(await failureOf('ssh://box')).toMatchInlineSnapshot(`
        [
          3,
          "engine-unreachable",
          "cannot reach the container engine at ssh://box (from flag --host): there is neither docker nor podman on the PATH of commands over ssh on box",
          [
            "ssh box 'command -v docker podman; echo $PATH'",
            "gbuild doctor",
          ],
        ]
      `);
    } finally {
      await ssh.exec('mv /usr/bin/moved /usr/bin/docker');
    }
  });
});

describe('an engine over ssh that is not reached', () => {
  test('is tried once in a run', async () => {
    const cwd = cli.tasks('e2e-ssh-once', 'tasks:\n  test: exit 7\n');
    const before = ssh.calls().length;
    expect((await cli.run(['test', '--host', 'ssh://nobody@box'], { cwd, env })).exitCode).toBe(3);
    expect(ssh.calls().slice(before)).toHaveLength(2);
  });

  test('is told in a sentence with the command that mends it', async () => {
    const urls = [
      'ssh://nobody@box',
      'ssh://outsider@box',
      'ssh://nowhere.invalid',
      'ssh://box:1',
      'ssh://box/run/x.sock',
    ];
    const told = [];
    for (const url of urls) told.push(await failureOf(url));
    expect(told).toMatchInlineSnapshot(`
      [
        [
          3,
          "engine-unreachable",
          "cannot reach the container engine at ssh://nobody@box (from flag --host): box refused your login (nobody@127.0.0.1: Permission denied (publickey,password).)",
          [
            "ssh-add -l   # does the agent know your key?",
            "ssh-copy-id nobody@box",
            "ssh -v nobody@box true",
            "gbuild doctor",
          ],
        ],
        [
          3,
          "engine-unreachable",
          "cannot reach the container engine at ssh://outsider@box (from flag --host): the user there may not use the engine's socket on box (failed to open the raw stream connection: dial unix /var/run/docker.sock: connect: permission denied)",
          [
            "ssh outsider@box 'sudo usermod -aG docker "$USER"'",
            "ssh outsider@box id",
            "gbuild doctor",
          ],
        ],
        [
          3,
          "engine-unreachable",
          "cannot reach the container engine at ssh://nowhere.invalid (from flag --host): there is no host nowhere.invalid (ssh: Could not resolve hostname nowhere.invalid: REASON)",
          [
            "ssh -G nowhere.invalid | grep -i hostname",
            "gbuild doctor",
          ],
        ],
        [
          3,
          "engine-unreachable",
          "cannot reach the container engine at ssh://box:1 (from flag --host): nothing listens for ssh on box (ssh: connect to host 127.0.0.1 port 1: Connection refused)",
          [
            "ssh -v -p 1 box true",
            "ssh -G -p 1 box | grep -i port",
            "gbuild doctor",
          ],
        ],
        [
          3,
          "engine-unreachable",
          "cannot reach the container engine at ssh://box/run/x.sock (from flag --host): no engine runs on box (failed to open the raw stream connection: dial unix /run/x.sock: connect: no such file or directory)",
          [
            "ssh box sudo systemctl start docker",
            "ssh box docker version",
            "gbuild doctor",
          ],
        ],
      ]
    `);
  });

  test('a host key that is not known', async () => {
    const config = ssh.config.replace(/UserKnownHostsFile .*/, 'UserKnownHostsFile /dev/null');
    expect(await withConfig(config, () => failureOf('ssh://box'))).toMatchInlineSnapshot(`
      [
        3,
        "engine-unreachable",
        "cannot reach the container engine at ssh://box (from flag --host): the host key of box is not known yet (Host key verification failed.)",
        [
          "ssh box   # compare the fingerprint, then answer yes",
          "gbuild doctor",
        ],
      ]
    `);
  });

  test('a host key that has changed', async () => {
    const other = join(cli.dir, 'other_known_hosts');
    const key = readFileSync(join(ssh.binDir, '../user_key.pub'), 'utf8');
    writeFileSync(other, `[127.0.0.1]:${ssh.sshPort} ${key}`);
    const config = ssh.config.replace(/UserKnownHostsFile .*/, `UserKnownHostsFile ${other}`);
    expect(await withConfig(config, () => failureOf('ssh://box'))).toMatchInlineSnapshot(`
      [
        3,
        "engine-unreachable",
        "cannot reach the container engine at ssh://box (from flag --host): box shows another host key than the one that is known: it was reinstalled, or it is another machine (Host key verification failed.)",
        [
          "ssh-keygen -f KNOWN_HOSTS -R '[127.0.0.1]:PORT'   # only if it was reinstalled",
          "ssh box   # compare the fingerprint",
          "gbuild doctor",
        ],
      ]
    `);
    rmSync(other);
  });

  test('a machine without ssh', async () => {
    expect(await failureOf('ssh://box', { PATH: join(cli.dir, 'nothing') })).toMatchInlineSnapshot(`
      [
        3,
        "engine-unreachable",
        "cannot reach the container engine at ssh://box (from flag --host): there is no program ssh on this machine",
        [
          "sudo apt-get install openssh-client   # on Debian and Ubuntu",
          "gbuild doctor",
        ],
      ]
    `);
  });

  test('a shell that prints something of its own', async () => {
    await ssh.exec(
      "echo 'echo welcome' >/home/build/.sshrc; mkdir -p /home/build/.ssh; echo 'echo welcome' >/home/build/.ssh/rc",
    );
    try {
      expect(await failureOf('ssh://box')).toMatchInlineSnapshot(`
        [
          3,
          "engine-unreachable",
          "cannot reach the container engine at ssh://box (from flag --host): the login shell there prints something of its own (Parse Error: Expected HTTP/, RTSP/ or ICE/)",
          [
            "ssh box true   # must print nothing: look into .bashrc",
            "gbuild doctor",
          ],
        ]
      `);
    } finally {
      await ssh.exec('rm /home/build/.ssh/rc /home/build/.sshrc');
    }
  });

  test('an engine that does not run', async () => {
    await ssh.exec('mv /var/run/docker.sock /var/run/away.sock');
    try {
      expect(await failureOf('ssh://box')).toMatchInlineSnapshot(`
        [
          3,
          "engine-unreachable",
          "cannot reach the container engine at ssh://box (from flag --host): no engine runs on box (failed to open the raw stream connection: dial unix /var/run/docker.sock: connect: no such file or directory)",
          [
            "ssh box sudo systemctl start docker",
            "ssh box docker version",
            "gbuild doctor",
          ],
        ]
      `);
    } finally {
      await ssh.exec('mv /var/run/away.sock /var/run/docker.sock');
    }
  });
});
