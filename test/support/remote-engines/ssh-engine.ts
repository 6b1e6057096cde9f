import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { packLayer } from '../../../src/oci/layer/layer.ts';
import { engineHostConfig, expectStatus } from '../engines/engine-container.ts';
import { answers, askEngine } from '../engines/engine-http.ts';
import { installPackages, isInstalled } from '../engines/test-engine.ts';
import { baseImage, engineImage, ensureTestImage, removeTestImage } from '../images/base-image.ts';

/** Engine with an ssh server in the same container: `build` may use the engine, `outsider` may only log in. */
export interface SshEngine extends AsyncDisposable {
  /** Address of the engine itself, for checks without gbuild. */
  host: string;
  sshPort: number;
  /** Folder for PATH: its `ssh` knows the key and the host, and records each call in `calls()`. */
  binDir: string;
  /** Configuration that `ssh` reads; a test may overwrite it. */
  configFile: string;
  /** First configuration: `box` leads to the container as `build`. */
  config: string;
  /** Lists the arguments of every started ssh, in order. */
  calls(): string[];
  /** Runs a script in the container as root. */
  exec(script: string): Promise<void>;
}

const setup = `set -e
rm -f /var/run/docker.pid
mount -o remount,rw /proc/sys
install -m 600 /setup/host_key /etc/ssh/ssh_host_ed25519_key
useradd -m -s /bin/sh -p '*' -G docker build
useradd -m -s /bin/sh -p '*' outsider
for user in build outsider; do
  install -d -m 700 -o $user /home/$user/.ssh
  install -m 600 -o $user /setup/user_key.pub /home/$user/.ssh/authorized_keys
done
mkdir -p /run/sshd
/usr/sbin/sshd -e -o HostKey=/etc/ssh/ssh_host_ed25519_key
exec dockerd -H tcp://0.0.0.0:2375 -H unix:///var/run/docker.sock --tls=false`;

/** Starts one inside a container of another engine; it has the base image and sees the given folders of this machine. */
export async function startSshEngine(outer: string, sees: string[] = []): Promise<SshEngine> {
  if (!isInstalled('ssh-keygen')) await installPackages(['openssh-client']);
  const dir = mkdtempSync(join(tmpdir(), 'gbuild-ssh-test-'));
  for (const name of ['host_key', 'user_key'])
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', name, '-f', join(dir, name)]);
  const imported = await ensureTestImage(outer, engineImage);
  const id = await createContainer(outer, sees, dir);
  const dispose = async () => {
    await askEngine(outer, 'DELETE', `/containers/${id}?force=1&v=1`);
    if (imported) await removeTestImage(outer, engineImage);
    rmSync(dir, { recursive: true, force: true });
  };
  try {
    await expectStatus(askEngine(outer, 'POST', `/containers/${id}/start`), 204);
    const { port, sshPort } = await readPorts(outer, id);
    const host = `tcp://127.0.0.1:${port}`;
    await waitFor(outer, id, host);
    await ensureTestImage(host, baseImage);
    const log = join(dir, 'calls');
    return {
      host,
      sshPort,
      ...writeSsh(dir, sshPort, log),
      calls: () => (existsSync(log) ? readFileSync(log, 'utf8').trimEnd().split('\n') : []),
      exec: (script) => execIn(outer, id, script),
      [Symbol.asyncDispose]: dispose,
    };
  } catch (thrown) {
    await dispose();
    throw thrown;
  }
}

/**
 * Writes a program named ssh with its own configuration: the real one reads the home from the user database, not from
 * HOME.
 */
function writeSsh(dir: string, port: number, log: string) {
  const binDir = join(dir, 'bin');
  const configFile = join(dir, 'config');
  const ssh = execFileSync('sh', ['-c', 'command -v ssh'], { encoding: 'utf8' }).trim();
  mkdirSync(binDir);
  writeFileSync(join(binDir, 'ssh'), `#!/bin/sh\necho "$*" >>'${log}'\nexec ${ssh} -F '${configFile}' "$@"\n`);
  chmodSync(join(binDir, 'ssh'), 0o755);
  writeFileSync(join(dir, 'known_hosts'), `[127.0.0.1]:${port} ${readFileSync(join(dir, 'host_key.pub'), 'utf8')}`);
  const settings = [
    'Host box',
    '  HostName 127.0.0.1',
    `  Port ${port}`,
    'Host *',
    '  User build',
    `  IdentityFile ${join(dir, 'user_key')}`,
    '  IdentitiesOnly yes',
    '  IdentityAgent none',
    `  UserKnownHostsFile ${join(dir, 'known_hosts')}`,
    '  GlobalKnownHostsFile /dev/null',
  ];
  const config = `${settings.join('\n')}\n`;
  writeFileSync(configFile, config);
  return { binDir, configFile, config };
}

async function createContainer(outer: string, sees: string[], dir: string): Promise<string> {
  const published = { HostIp: '127.0.0.1', HostPort: '0' };
  const { status, text } = await askEngine(outer, 'POST', '/containers/create', {
    json: {
      Image: engineImage,
      Cmd: ['sh', '-c', setup],
      Labels: { 'io.gbuild.test': 'engine' },
      ExposedPorts: { '2375/tcp': {}, '22/tcp': {} },
      HostConfig: {
        ...engineHostConfig(sees.map((each) => `${each}:${each}`)),
        PortBindings: { '2375/tcp': [published], '22/tcp': [published] },
      },
    },
  });
  if (status !== 201) throw new Error(`no engine container: ${text}`);
  const { Id: id } = JSON.parse(text) as { Id: string };
  await putFiles(outer, id, '/', {
    'setup/host_key': readFileSync(join(dir, 'host_key')),
    'setup/user_key.pub': readFileSync(join(dir, 'user_key.pub')),
  });
  return id;
}

/** Writes files into a container, also before its start. */
export async function putFiles(outer: string, id: string, path: string, files: Record<string, Buffer>): Promise<void> {
  const entries = Object.entries(files).map(([name, bytes]) => ({
    path: name,
    type: 'file' as const,
    executable: false,
    content: { bytes, size: bytes.length },
  }));
  const body = Readable.from(packLayer(entries, { createdBy: '' }).chunks());
  await expectStatus(askEngine(outer, 'PUT', `/containers/${id}/archive?path=${path}`, { body }), 200);
}

async function readPorts(outer: string, id: string): Promise<{ port: number; sshPort: number }> {
  const { text } = await askEngine(outer, 'GET', `/containers/${id}/json`);
  const { NetworkSettings } = JSON.parse(text) as {
    NetworkSettings: { Ports: Record<string, { HostPort: string }[] | null> };
  };
  const portOf = (name: string) => Number(NetworkSettings.Ports[name]?.[0]?.HostPort);
  return { port: portOf('2375/tcp'), sshPort: portOf('22/tcp') };
}

async function waitFor(outer: string, id: string, host: string): Promise<void> {
  for (let tries = 0; tries < 600; tries += 1) {
    if (await answers(host)) return;
    await sleep(100);
  }
  const { text } = await askEngine(outer, 'GET', `/containers/${id}/logs?stdout=1&stderr=1&tail=30`);
  throw new Error(`the engine in container ${id} does not answer at ${host}:\n${text}`);
}

async function execIn(outer: string, id: string, script: string): Promise<void> {
  const json = { Cmd: ['sh', '-ec', script], AttachStdout: true, AttachStderr: true };
  const created = await askEngine(outer, 'POST', `/containers/${id}/exec`, { json });
  const { Id } = JSON.parse(created.text) as { Id: string };
  const { text } = await askEngine(outer, 'POST', `/exec/${Id}/start`, { json: { Detach: false } });
  const { ExitCode } = JSON.parse((await askEngine(outer, 'GET', `/exec/${Id}/json`)).text) as { ExitCode: number };
  if (ExitCode !== 0) throw new Error(`${script} failed (${ExitCode}): ${text}`);
}
