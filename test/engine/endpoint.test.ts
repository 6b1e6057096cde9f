import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { chooseEndpoint, endpointEnv, type SocketPlace, socketPlaces } from '../../src/engine/endpoint.ts';
import type { GbuildError } from '../../src/errors.ts';
import type { Host } from '../../src/host.ts';

const dir = mkdtempSync(join(tmpdir(), 'gb-endpoint-'));
const configDir = join(dir, 'config');
const certDir = join(dir, 'certs');
const sockets = {
  default: join(dir, 'default.sock'),
  rootless: join(dir, 'rootless.sock'),
  podman: join(dir, 'podman.sock'),
};
const servers: Server[] = [];

const places = (...names: (keyof typeof sockets)[]): SocketPlace[] =>
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

function failureOf(work: () => unknown): Pick<GbuildError, 'code' | 'message' | 'suggestions'> {
  try {
    work();
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
  ])('%s', (_, variables, flags, url, source) => {
    const endpoint = chooseEndpoint(hostWith(variables), flags, places('default', 'rootless', 'podman'));
    expect([endpoint.url, endpoint.source]).toEqual([url, source]);
  });

  test("the docker config's current context beats the sockets and names its file", () => {
    const file = join(configDir, 'config.json');
    writeFileSync(file, JSON.stringify({ currentContext: 'desktop' }));
    try {
      const endpoint = chooseEndpoint(hostWith({}), {}, places('default'));
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
  ] as const)('of the sockets %j the %s is taken', (names, source) => {
    expect(chooseEndpoint(hostWith({}), {}, places(...names)).source).toBe(source);
  });

  test('the places for sockets are the platform’s', () => {
    expect(
      socketPlaces(hostWith({ XDG_RUNTIME_DIR: '/run/user/7' })).map(({ path }) => path.replaceAll(dir, 'DIR')),
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

describe('disagreeing variables', () => {
  test.each([
    ['another engine', 'remote'],
    ['an unknown context', 'nowhere'],
  ])('are warned about: %s', (_, DOCKER_CONTEXT) => {
    const { warnings } = chooseEndpoint(hostWith({ DOCKER_HOST: 'tcp://2.2.2.2:2', DOCKER_CONTEXT }), {}, []);
    expect(warnings).toEqual([
      expect.stringMatching(/^DOCKER_HOST \(tcp:\/\/2\.2\.2\.2:2\) and DOCKER_CONTEXT .* DOCKER_HOST wins$/),
    ]);
  });

  test('are no matter when both mean the same engine', () => {
    const env = { DOCKER_HOST: 'unix:///home/dev/.docker/desktop.sock', DOCKER_CONTEXT: 'desktop' };
    expect(chooseEndpoint(hostWith(env), {}, []).warnings).toEqual([]);
  });
});

describe('TLS', () => {
  test('a context brings its certificates, and child processes get the folder', () => {
    const endpoint = chooseEndpoint(hostWith({}), { context: 'remote' }, []);
    expect([String(endpoint.tls?.ca), String(endpoint.tls?.key), endpoint.tls?.verify]).toEqual([
      'the ca.pem',
      'the key.pem',
      true,
    ]);
    expect(endpointEnv(endpoint)).toEqual({
      DOCKER_HOST: 'tcp://10.0.0.7:2376',
      DOCKER_CONTEXT: '',
      DOCKER_TLS: '',
      DOCKER_TLS_VERIFY: '1',
      DOCKER_CERT_PATH: join(configDir, 'contexts/tls', idOf('remote'), 'docker'),
    });
  });

  test('DOCKER_TLS_VERIFY and DOCKER_CERT_PATH belong to DOCKER_HOST', () => {
    const env = { DOCKER_HOST: 'tcp://2.2.2.2', DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: certDir };
    const { url, tls } = chooseEndpoint(hostWith(env), {}, []);
    expect([url, tls?.verify, String(tls?.cert)]).toEqual(['tcp://2.2.2.2:2376', true, 'the cert.pem']);
  });

  test('without DOCKER_TLS_VERIFY certificates are left alone', () => {
    const env = { DOCKER_HOST: 'tcp://2.2.2.2', DOCKER_CERT_PATH: certDir };
    const { url, tls } = chooseEndpoint(hostWith(env), {}, []);
    expect([url, tls]).toEqual(['tcp://2.2.2.2:2375', undefined]);
  });

  test('a socket has no TLS, whatever the variables say', () => {
    const env = { DOCKER_HOST: 'unix:///x.sock', DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: '/nowhere' };
    expect(chooseEndpoint(hostWith(env), {}, []).tls).toBeUndefined();
  });

  test('a certificate without its key names the file that is missing', () => {
    expect(failureOf(() => chooseEndpoint(hostWith({}), { context: 'broken' }, []))).toMatchInlineSnapshot(`
      {
        "code": "usage",
        "message": "cannot read the engine's TLS file DIR/config/contexts/tls/ID/docker/key.pem: it is not there, but DIR/config/contexts/tls/ID/docker/cert.pem is",
        "suggestions": [
          "ls -l DIR/config/contexts/tls/ID/docker/key.pem",
          "unset DOCKER_TLS_VERIFY DOCKER_CERT_PATH   # when the engine speaks no TLS",
        ],
      }
    `);
  });

  test('a DOCKER_CERT_PATH without certificates is an error, not a connection without them', () => {
    const env = { DOCKER_HOST: 'tcp://2.2.2.2', DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: join(dir, 'empty') };
    expect(failureOf(() => chooseEndpoint(hostWith(env), {}, []))).toMatchInlineSnapshot(`
      {
        "code": "usage",
        "message": "cannot read the engine's TLS file DIR/empty/ca.pem: no certificates are in the folder that DOCKER_CERT_PATH names",
        "suggestions": [
          "ls -l DIR/empty/ca.pem",
          "unset DOCKER_TLS_VERIFY DOCKER_CERT_PATH   # when the engine speaks no TLS",
        ],
      }
    `);
  });

  test('an unreadable file is named', () => {
    const folder = join(dir, 'odd');
    mkdirSync(join(folder, 'ca.pem'), { recursive: true });
    const env = { DOCKER_HOST: 'tcp://2.2.2.2', DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: folder };
    expect(failureOf(() => chooseEndpoint(hostWith(env), {}, [])).message).toMatchInlineSnapshot(
      `"cannot read the engine's TLS file DIR/odd/ca.pem: EISDIR: illegal operation on a directory, read"`,
    );
  });
});

describe('what cannot be obeyed', () => {
  test('both flags', () => {
    expect(
      failureOf(() => chooseEndpoint(hostWith({}), { host: 'tcp://1.1.1.1:1', context: 'remote' }, [])),
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

  test('an unknown context, with the one that may be meant', () => {
    expect(failureOf(() => chooseEndpoint(hostWith({}), { context: 'remot' }, []))).toMatchInlineSnapshot(`
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

  test('an engine over ssh, yet', () => {
    expect(failureOf(() => chooseEndpoint(hostWith({}), { context: 'shell' }, []))).toMatchInlineSnapshot(`
      {
        "code": "usage",
        "message": "flag --context: engines over ssh (ssh://box) are not yet supported",
        "suggestions": [
          "ssh -N -L /tmp/engine.sock:/var/run/docker.sock USER@HOST &",
          "gbuild doctor --host unix:///tmp/engine.sock",
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
  ])('the address %s', (DOCKER_HOST) => {
    const { code, message } = failureOf(() => chooseEndpoint(hostWith({ DOCKER_HOST }), {}, []));
    expect([code, message]).toEqual(['usage', expect.stringMatching(/^DOCKER_HOST: ".*" is no engine address: /)]);
    expect(message).not.toContain('secret');
  });

  test('a docker config that is no JSON', () => {
    const folder = join(dir, 'bad-config');
    mkdirSync(folder);
    writeFileSync(join(folder, 'config.json'), '{');
    expect(failureOf(() => chooseEndpoint(hostWith({ DOCKER_CONFIG: folder }), {}, [])).message).toMatch(
      /^cannot read the docker config DIR\/bad-config\/config\.json: /,
    );
  });

  test('no engine anywhere', () => {
    const place: SocketPlace = { path: join(dir, 'none.sock'), source: 'default socket' };
    expect(failureOf(() => chooseEndpoint(hostWith({}), {}, [place]))).toMatchInlineSnapshot(`
      {
        "code": "engine-unreachable",
        "message": "no container engine found: no flag, DOCKER_HOST, DOCKER_CONTEXT or docker context names one, and none of these sockets can be used: DIR/none.sock",
        "suggestions": [
          "sudo systemctl start docker",
          "sudo apt-get install docker.io   # on Debian and Ubuntu",
          "gbuild doctor --host tcp://HOST:PORT",
        ],
      }
    `);
  });
});
