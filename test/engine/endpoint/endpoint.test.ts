import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { chooseEndpoint, type EngineName } from '../../../src/engine/endpoint/choose-endpoint.ts';
import { type Endpoint, endpointEnv } from '../../../src/engine/endpoint/endpoint.ts';
import { type SocketCandidate, socketCandidates } from '../../../src/engine/endpoint/sockets.ts';
import type { GbuildError } from '../../../src/errors.ts';
import type { Host } from '../../../src/host.ts';

const dir = mkdtempSync(join(tmpdir(), 'gb-endpoint-'));
const configDir = join(dir, 'config');
const certDir = join(dir, 'certs');
const sockets = {
  default: join(dir, 'default.sock'),
  rootless: join(dir, 'rootless.sock'),
  podman: join(dir, 'podman.sock'),
};
const servers: Server[] = [];

const socketsAt = (...names: (keyof typeof sockets)[]): SocketCandidate[] =>
  names.map((name) => ({ path: sockets[name], source: `${name} socket` }));

const hostWith = (env: Record<string, string>): Host => ({
  env: { DOCKER_CONFIG: configDir, ...env },
  cwd: dir,
  platform: 'linux',
  arch: 'x64',
  hostname: 'here',
  uid: 1000,
  gid: 1000,
  userName: 'dev',
  homeDir: join(dir, 'home'),
  cacheDir: dir,
  configDir: dir,
  dataDir: dir,
  stateDir: dir,
  startedAt: 0,
  isCI: false,
  isTerminal: false,
});

const idOf = (name: string) => createHash('sha256').update(name).digest('hex');

function writeContext(name: string, host: string, pems: string[] = []): void {
  const meta = join(configDir, 'contexts/meta', idOf(name));
  mkdirSync(meta, { recursive: true });
  writeFileSync(
    join(meta, 'meta.json'),
    JSON.stringify({ Name: name, Endpoints: { docker: { Host: host, SkipTLSVerify: false } } }),
  );
  if (pems.length > 0) writePems(join(configDir, 'contexts/tls', idOf(name), 'docker'), pems);
}

function writePems(folder: string, pems: string[]): void {
  mkdirSync(folder, { recursive: true });
  for (const pem of pems) writeFileSync(join(folder, pem), `the ${pem}`);
}

interface Surroundings {
  sockets?: SocketCandidate[];
  configured?: EngineName;
  said?: string[];
}

function choose(
  host: Host,
  flags: EngineName = {},
  { sockets: there = [], configured = {}, said = [] }: Surroundings = {},
) {
  return chooseEndpoint(host, flags, {
    sockets: there,
    readConfigured: async () => ({ name: configured, file: 'CONFIG' }),
    say: (text) => void said.push(text),
    mayStart: true,
  });
}

async function failureOf(work: Promise<Endpoint>): Promise<Pick<GbuildError, 'code' | 'message' | 'suggestions'>> {
  try {
    await work;
  } catch (thrown) {
    const { code, message, suggestions } = thrown as GbuildError;
    const clean = (text: string) => text.replaceAll(dir, 'DIR').replaceAll(idOf('broken'), 'ID');
    return { code, message: clean(message), suggestions: suggestions.map(clean) };
  }
  throw new Error('expected a failure');
}

beforeAll(async () => {
  writeContext('remote', 'tcp://10.0.0.7:2376', ['ca.pem', 'cert.pem', 'key.pem']);
  writeContext('desktop', 'unix:///home/dev/.docker/desktop.sock');
  writeContext('broken', 'tcp://10.0.0.8:2376', ['ca.pem', 'cert.pem']);
  writeContext('shell', 'ssh://dev@box');
  writePems(certDir, ['ca.pem', 'cert.pem', 'key.pem']);
  for (const path of Object.values(sockets)) {
    const server = createServer();
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(path, resolve));
  }
});
afterAll(() => {
  for (const server of servers) server.close();
  rmSync(dir, { recursive: true, force: true });
});

describe('the order', () => {
  const flag = 'tcp://1.1.1.1:1';
  const env = { DOCKER_HOST: 'tcp://2.2.2.2:2', DOCKER_CONTEXT: 'remote' };
  test.each<[string, Record<string, string>, { host?: string; context?: string }, string, string]>([
    ['the flag --host beats everything', env, { host: flag }, flag, 'flag --host'],
    [
      'the flag --context beats everything',
      env,
      { context: 'desktop' },
      'unix:///home/dev/.docker/desktop.sock',
      'flag --context',
    ],
    ['DOCKER_HOST beats DOCKER_CONTEXT', env, {}, 'tcp://2.2.2.2:2', 'DOCKER_HOST'],
    ['DOCKER_CONTEXT beats the sockets', { DOCKER_CONTEXT: 'remote' }, {}, 'tcp://10.0.0.7:2376', 'DOCKER_CONTEXT'],
    ['the default context means DOCKER_HOST', { DOCKER_HOST: flag }, { context: 'default' }, flag, 'DOCKER_HOST'],
    [
      'the default context means the sockets without DOCKER_HOST',
      { DOCKER_CONTEXT: 'default' },
      {},
      `unix://${sockets.default}`,
      'default socket',
    ],
    ['an empty DOCKER_HOST is none', { DOCKER_HOST: '' }, {}, `unix://${sockets.default}`, 'default socket'],
  ])('%s', async (_, variables, flags, url, source) => {
    const endpoint = await choose(hostWith(variables), flags, { sockets: socketsAt('default', 'rootless', 'podman') });
    expect([endpoint.url, endpoint.source]).toEqual([url, source]);
  });

  test("the docker config's current context beats the sockets and names its file", async () => {
    const file = join(configDir, 'config.json');
    writeFileSync(file, JSON.stringify({ currentContext: 'desktop' }));
    try {
      const endpoint = await choose(hostWith({}), {}, { sockets: socketsAt('default') });
      expect([endpoint.source, endpoint.context, endpoint.reason.replaceAll(dir, 'DIR')]).toMatchInlineSnapshot(`
        [
          "docker config",
          "desktop",
          ""currentContext" in DIR/config/config.json names it and neither DOCKER_HOST nor DOCKER_CONTEXT is set",
        ]
      `);
    } finally {
      rmSync(file);
    }
  });

  test.each([
    [['default', 'rootless', 'podman'], 'default socket'],
    [['rootless', 'podman'], 'rootless socket'],
    [['podman'], 'podman socket'],
  ] as const)('of the sockets %j the %s is taken', async (names, source) => {
    expect((await choose(hostWith({}), {}, { sockets: socketsAt(...names) })).source).toBe(source);
  });

  test('the places for sockets are the platform’s', async () => {
    expect(
      socketCandidates(hostWith({ XDG_RUNTIME_DIR: '/run/user/7' })).map(({ path }) => path.replaceAll(dir, 'DIR')),
    ).toMatchInlineSnapshot(`
      [
        "/var/run/docker.sock",
        "DIR/home/.docker/run/docker.sock",
        "/run/user/7/docker.sock",
        "/run/user/7/podman/podman.sock",
        "/run/podman/podman.sock",
      ]
    `);
  });
});

describe('what config.yml names', () => {
  test.each<[string, Record<string, string>, string, string]>([
    ['beats the sockets', {}, 'tcp://3.3.3.3:3', 'config.yml'],
    ['is beaten by DOCKER_HOST', { DOCKER_HOST: 'tcp://2.2.2.2:2' }, 'tcp://2.2.2.2:2', 'DOCKER_HOST'],
    ['is beaten by DOCKER_CONTEXT', { DOCKER_CONTEXT: 'remote' }, 'tcp://10.0.0.7:2376', 'DOCKER_CONTEXT'],
  ])('%s', async (_, env, url, source) => {
    const around = { configured: { host: 'tcp://3.3.3.3:3' }, sockets: socketsAt('default') };
    const endpoint = await choose(hostWith(env), {}, around);
    expect([endpoint.url, endpoint.source]).toEqual([url, source]);
  });

  test("beats the docker config's current context, and the reason names key and file", async () => {
    const file = join(configDir, 'config.json');
    writeFileSync(file, JSON.stringify({ currentContext: 'desktop' }));
    try {
      const { context, reason } = await choose(hostWith({}), {}, { configured: { context: 'remote' } });
      expect([context, reason]).toEqual([
        'remote',
        '"context" in CONFIG names it and neither DOCKER_HOST nor DOCKER_CONTEXT is set',
      ]);
    } finally {
      rmSync(file);
    }
  });
});

describe('an engine over ssh', () => {
  test.each([
    ['ssh://host', { host: 'host' }],
    ['ssh://me@host.example.com:2222', { user: 'me', host: 'host.example.com', port: 2222 }],
    [
      'ssh://[fe80::1%eth0]:22/run/user/7/docker.sock',
      { host: 'fe80::1%eth0', port: 22, socketPath: '/run/user/7/docker.sock' },
    ],
    ['ssh://host/', { host: 'host' }],
  ])('%s is taken apart', async (address, target) => {
    const { ssh, url } = await choose(hostWith({}), { host: address });
    expect([ssh?.target, url]).toEqual([target, address.replace(/\/$/, '')]);
  });

  test('is what a context says, and child processes get its address', async () => {
    const endpoint = await choose(hostWith({ DOCKER_TLS_VERIFY: '1' }), { context: 'shell' });
    expect([endpoint.ssh?.target, endpoint.tls, endpointEnv(endpoint).DOCKER_HOST]).toEqual([
      { user: 'dev', host: 'box' },
      undefined,
      'ssh://dev@box',
    ]);
  });

  test('asks nobody anything where nobody is there', async () => {
    const mayAsk = async (more: Partial<Host>) =>
      (await choose({ ...hostWith({}), ...more }, { host: 'ssh://box' })).ssh?.mayAsk;
    expect([
      await mayAsk({}),
      await mayAsk({ isTerminal: true }),
      await mayAsk({ isTerminal: true, isCI: true }),
    ]).toEqual([false, true, false]);
  });
});

describe('disagreeing variables', () => {
  test.each([
    ['another engine', 'remote'],
    ['an unknown context', 'nowhere'],
  ])('are warned about: %s', async (_, DOCKER_CONTEXT) => {
    const { warnings } = await choose(hostWith({ DOCKER_HOST: 'tcp://2.2.2.2:2', DOCKER_CONTEXT }), {});
    expect(warnings).toEqual([
      expect.stringMatching(/^DOCKER_HOST \(tcp:\/\/2\.2\.2\.2:2\) and DOCKER_CONTEXT .* DOCKER_HOST wins$/),
    ]);
  });

  test('are no matter when both mean the same engine', async () => {
    const env = { DOCKER_HOST: 'unix:///home/dev/.docker/desktop.sock', DOCKER_CONTEXT: 'desktop' };
    expect((await choose(hostWith(env), {})).warnings).toEqual([]);
  });
});

describe('TLS', () => {
  test('a context brings its certificates, and child processes get the folder', async () => {
    const endpoint = await choose(hostWith({}), { context: 'remote' });
    expect([String(endpoint.tls?.ca), String(endpoint.tls?.key), endpoint.tls?.verify]).toEqual([
      'the ca.pem',
      'the key.pem',
      true,
    ]);
    expect(endpointEnv(endpoint)).toEqual({
      DOCKER_HOST: 'tcp://10.0.0.7:2376',
      DOCKER_CONTEXT: '',
      DOCKER_MACHINE_NAME: '',
      DOCKER_TLS: '',
      DOCKER_TLS_VERIFY: '1',
      DOCKER_CERT_PATH: join(configDir, 'contexts/tls', idOf('remote'), 'docker'),
    });
  });

  test('DOCKER_TLS_VERIFY and DOCKER_CERT_PATH belong to DOCKER_HOST', async () => {
    const env = { DOCKER_HOST: 'tcp://2.2.2.2', DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: certDir };
    const { url, tls } = await choose(hostWith(env), {});
    expect([url, tls?.verify, String(tls?.cert)]).toEqual(['tcp://2.2.2.2:2376', true, 'the cert.pem']);
  });

  test('the machine that docker-machine env leaves in the environment is known by its name', async () => {
    const env = { DOCKER_HOST: 'tcp://2.2.2.2', DOCKER_CERT_PATH: certDir, DOCKER_MACHINE_NAME: 'box' };
    expect((await choose(hostWith({ ...env, DOCKER_TLS_VERIFY: '1' }))).machine).toBe('box');
    expect((await choose(hostWith(env))).machine).toBeUndefined();
  });

  test('without DOCKER_TLS_VERIFY certificates are left alone', async () => {
    const env = { DOCKER_HOST: 'tcp://2.2.2.2', DOCKER_CERT_PATH: certDir };
    const { url, tls } = await choose(hostWith(env), {});
    expect([url, tls]).toEqual(['tcp://2.2.2.2:2375', undefined]);
  });

  test('a socket has no TLS, whatever the variables say', async () => {
    const env = { DOCKER_HOST: 'unix:///x.sock', DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: '/nowhere' };
    expect((await choose(hostWith(env), {})).tls).toBeUndefined();
  });

  test('a certificate without its key names the file that is missing', async () => {
    expect(await failureOf(choose(hostWith({}), { context: 'broken' }))).toMatchInlineSnapshot(`
      {
        "code": "usage",
        "message": "cannot read the engine's TLS file DIR/config/contexts/tls/ID/docker/key.pem: it is missing, but DIR/config/contexts/tls/ID/docker/cert.pem is there",
        "suggestions": [
          "ls -l DIR/config/contexts/tls/ID/docker/key.pem",
          "unset DOCKER_TLS_VERIFY DOCKER_CERT_PATH   # if the engine does not speak TLS",
        ],
      }
    `);
  });

  test('a DOCKER_CERT_PATH without certificates is an error, not a connection without them', async () => {
    const env = { DOCKER_HOST: 'tcp://2.2.2.2', DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: join(dir, 'empty') };
    expect(await failureOf(choose(hostWith(env), {}))).toMatchInlineSnapshot(`
      {
        "code": "usage",
        "message": "cannot read the engine's TLS file DIR/empty/ca.pem: no certificates are in the folder that DOCKER_CERT_PATH names",
        "suggestions": [
          "ls -l DIR/empty/ca.pem",
          "unset DOCKER_TLS_VERIFY DOCKER_CERT_PATH   # if the engine does not speak TLS",
        ],
      }
    `);
  });

  test('an unreadable file is named', async () => {
    const folder = join(dir, 'odd');
    mkdirSync(join(folder, 'ca.pem'), { recursive: true });
    const env = { DOCKER_HOST: 'tcp://2.2.2.2', DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: folder };
    expect((await failureOf(choose(hostWith(env), {}))).message).toMatchInlineSnapshot(
      `"cannot read the engine's TLS file DIR/odd/ca.pem: a folder, not a file"`,
    );
  });
});

describe('what cannot be obeyed', () => {
  test('both flags', async () => {
    expect(
      await failureOf(choose(hostWith({}), { host: 'tcp://1.1.1.1:1', context: 'remote' })),
    ).toMatchInlineSnapshot(`
      {
        "code": "usage",
        "message": "--host and --context both name an engine",
        "suggestions": [
          "leave one of them out",
          "gbuild doctor --context remote",
        ],
      }
    `);
  });

  test('an unknown context, with the one that may be meant', async () => {
    expect(await failureOf(choose(hostWith({}), { context: 'remot' }))).toMatchInlineSnapshot(`
      {
        "code": "usage",
        "message": "flag --context: no docker context "remot" in DIR/config; did you mean "remote"? (there: default, broken, desktop, remote, shell)",
        "suggestions": [
          "docker context ls",
          "gbuild doctor --context remote",
        ],
      }
    `);
  });

  test.each([
    'nonsense://x',
    'tcp://',
    'unix://relative.sock',
    'tcp://host:port',
    'tcp://h:1/path',
    'http://user:secret@/',
    'ssh://',
    'ssh://user:secret@host',
    'ssh://-oProxyCommand=x@host',
    'ssh://-oProxyCommand=x',
    'ssh://host:0',
    'ssh://host:70000',
    "ssh://host/a'b.sock",
    'ssh://host/$(id)',
  ])('the address %s', async (DOCKER_HOST) => {
    const { code, message } = await failureOf(choose(hostWith({ DOCKER_HOST }), {}));
    expect([code, message]).toEqual(['usage', expect.stringMatching(/^DOCKER_HOST: ".*" is not an engine address: /)]);
    expect(message).not.toContain('secret');
  });

  test('a docker config that is no JSON', async () => {
    const folder = join(dir, 'bad-config');
    mkdirSync(folder);
    writeFileSync(join(folder, 'config.json'), '{');
    expect((await failureOf(choose(hostWith({ DOCKER_CONFIG: folder }), {}))).message).toMatch(
      /^cannot read the docker config DIR\/bad-config\/config\.json: /,
    );
  });

  test('no engine anywhere', async () => {
    const place: SocketCandidate = { path: join(dir, 'none.sock'), source: 'default socket' };
    expect(await failureOf(choose(hostWith({}), {}, { sockets: [place] }))).toMatchInlineSnapshot(`
      {
        "code": "engine-unreachable",
        "message": "no container engine found: no flag, DOCKER_HOST, DOCKER_CONTEXT, config.yml or docker context names one, and none of these sockets can be used: DIR/none.sock",
        "suggestions": [
          "sudo systemctl start docker",
          "sudo apt-get install docker.io   # on Debian and Ubuntu",
          "gbuild engine use ssh://USER@HOST",
        ],
      }
    `);
  });
});
