import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { openCli } from '../../support/cli/cli.ts';
import { makeAuthority, openAuthority } from '../../support/network/authority.ts';
import { buildDockerMachine, runMachine } from '../../support/remote-engines/docker-machine.ts';
import { type MachineOptions, writeMachine } from '../../support/remote-engines/machine-store.ts';
import { startTlsEngine, type TlsEngine } from '../../support/remote-engines/tls-engine.ts';

const cli = openCli({ toolchain: inject('baseImage') });
const store = join(cli.dir, 'machines');
/** What would answer if gbuild fell back to an engine of this machine. */
const local = { XDG_RUNTIME_DIR: join(cli.dir, 'run') };
const env = { MACHINE_STORAGE_PATH: store, ...local };
let engine: TlsEngine;

beforeAll(async () => {
  engine = await startTlsEngine(inject('engineHost'), { sees: [cli.dir] });
});
afterAll(async () => {
  await engine?.[Symbol.asyncDispose]();
  cli[Symbol.dispose]();
});

const write = (name: string, more: Partial<MachineOptions>) =>
  writeMachine(store, name, { driver: 'virtualbox', ...engine, ...more });

const clean = (text: string) =>
  text
    .replaceAll(store, 'STORE')
    .replaceAll(engine.address, 'ADDRESS')
    .replaceAll(String(engine.port), 'PORT')
    .replaceAll(/\d{4}-\d\d-\d\d/g, 'DATE')
    // OpenSSL's and Go's own words are another version's tomorrow.
    .replace(/^(cannot reach .*|the machine .* cannot be used: .*) \([^()]*\)$/, '$1 (REASON)');

async function show(machine: string, more: Record<string, string> = {}) {
  const { exitCode, stdout, stderr } = await cli.run(['engine', 'show', '--machine', machine, '--json'], {
    env: { ...env, ...more },
  });
  const answer = JSON.parse(stdout);
  if (answer.error === undefined) return { ...answer, stderr };
  return [exitCode, answer.error.code, clean(answer.error.message), answer.error.suggestions.map(clean)];
}

describe('a machine in the store', () => {
  test.each<[MachineOptions['driver'], () => string]>([
    ['virtualbox', () => engine.address],
    ['generic', () => `127.0.0.1:${engine.port}`],
    ['none', () => `127.0.0.1:${engine.port}`],
  ])('of driver %s is reached over TLS', async (driver, addressOf) => {
    write(driver, { driver, address: addressOf() });
    expect(await show(driver)).toMatchObject({
      engine: { machine: driver, tls: { verify: true } },
      info: { kind: 'docker' },
    });
  });

  test('runs a task, and child processes get its address and certificates', async () => {
    write('runs', {});
    const cwd = cli.tasks('e2e-machine', 'tasks:\n  test: echo on a machine\n');
    const { exitCode, stdout } = await cli.run(['test', '--machine', 'runs'], { cwd, env });
    expect([exitCode, stdout]).toEqual([0, 'on a machine\n']);
    const shards = await cli.run(['test', '--on', 'runs', '--shards', '2', '--json'], { cwd, env });
    expect(JSON.parse(shards.stdout).shards.map(({ on }: { on: string }) => on)).toEqual(['runs', 'runs']);
    const shell = await cli.run(['doctor', 'engine', '--shell', '--machine', 'runs'], { env });
    expect(clean(shell.stdout)).toMatchInlineSnapshot(`
      "export DOCKER_HOST='tcp://ADDRESS:2376'
      export DOCKER_CONTEXT=''
      export DOCKER_TLS=''
      export DOCKER_TLS_VERIFY='1'
      export DOCKER_CERT_PATH='STORE/machines/runs'
      export DOCKER_MACHINE_NAME='runs'
      "
    `);
  });

  test('is what "engine use" writes down, beside what stands there; the environment beats it', async () => {
    write('used', {});
    const file = join(cli.dir, 'home/.config/gbuild/config.yml');
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, '# mine\nconfig: 1\ncacheLimit: 5g # enough\n');
    const use = await cli.run(['engine', 'use', 'used'], { env });
    expect([use.exitCode, readFileSync(file, 'utf8')]).toEqual([
      0,
      '# mine\nconfig: 1\ncacheLimit: 5g # enough\nmachine: used\n',
    ]);
    const { stdout } = await cli.run(['engine', 'show', '--json'], { env });
    expect(JSON.parse(stdout).engine).toMatchObject({ machine: 'used', source: 'config.yml' });
    const beaten = await cli.run(['engine', 'use', 'machine:used'], { env: { ...env, DOCKER_HOST: engine.host } });
    expect(beaten.stderr).toBe(
      `warning: DOCKER_HOST is set (${engine.host}) and takes precedence: unset DOCKER_HOST\n`,
    );
    const list = await cli.run(['engine', 'ls', '--json'], { env: { ...env, DOCKER_HOST: engine.host } });
    const engines = JSON.parse(list.stdout).engines.filter(({ name }: { name: string }) =>
      ['used', engine.host].includes(name),
    );
    expect(engines).toMatchObject([
      { kind: 'environment', answers: true, chosen: true, why: 'DOCKER_HOST is set' },
      { kind: 'machine', answers: true, chosen: false, why: 'config.yml names it' },
    ]);
    await cli.run(['engine', 'use', '--clear'], { env });
    expect(readFileSync(file, 'utf8')).toBe('# mine\nconfig: 1\ncacheLimit: 5g # enough\n');
  });
});

test('every engine that is found is listed with its answer, and why it would be chosen', async () => {
  rmSync(store, { recursive: true, force: true });
  const config = join(cli.dir, 'docker');
  const files = { ca: engine.authority.rootFile, cert: engine.client.certFile, key: engine.client.keyFile };
  const tls = Object.entries(files).map(([name, file]) => `,${name}=${file}`);
  const create = (name: string, url: string) =>
    execFileSync('docker', ['--config', config, 'context', 'create', name, '--docker', url], { stdio: 'ignore' });
  create('behind-tls', `host=tcp://127.0.0.1:${engine.port}${tls.join('')}`);
  create('far', 'host=ssh://nowhere.invalid');
  write('works', {});
  write('stopped', { driver: 'generic', address: '127.0.0.1:1' });
  const { stdout } = await cli.run(['engine', 'ls', '--json'], {
    env: { ...env, DOCKER_CONFIG: config, DOCKER_CONTEXT: 'behind-tls' },
  });
  const { engines } = JSON.parse(stdout) as { engines: Record<string, unknown>[] };
  const told = engines
    .filter(({ kind }) => kind !== 'socket')
    .map(({ name, kind, url, answers, chosen, why }) => clean([name, kind, url, answers, chosen, why].join(' | ')));
  expect(told).toMatchInlineSnapshot(`
    [
      "behind-tls | context | tcp://127.0.0.1:PORT | true | true | DOCKER_CONTEXT is set",
      "far | context | ssh://nowhere.invalid | false | false | gbuild engine use far",
      "stopped | machine | tcp://127.0.0.1:1 | false | false | gbuild engine use stopped",
      "works | machine | tcp://ADDRESS:2376 | true | false | gbuild engine use works",
    ]
  `);
});

describe('a machine that cannot be used', () => {
  test('is refused when its form is newer, when it has no TLS, and when it is not there', async () => {
    rmSync(store, { recursive: true, force: true });
    write('newer', { configVersion: 4 });
    write('open', { tlsVerify: false });
    expect([await show('newer'), await show('open'), await show('gone')]).toMatchInlineSnapshot(`
      [
        [
          2,
          "usage",
          "STORE/machines/newer/config.json has ConfigVersion 4; gbuild reads 3",
          [
            "install docker-machine, which gbuild then asks",
          ],
        ],
        [
          2,
          "usage",
          "the machine open was made without TLS: anybody could answer in its place",
          [
            "docker-machine inspect open",
            "gbuild engine use tcp://HOST:PORT   # only if nobody else can answer",
          ],
        ],
        [
          2,
          "usage",
          "flag --machine: no machine "gone" in STORE (there: newer, open)",
          [
            "docker-machine ls",
            "gbuild engine ls",
          ],
        ],
      ]
    `);
  });

  test('is told in a sentence with the command that mends it: address, dates, authority, a stopped machine', async () => {
    const { authority } = engine;
    const foreign = makeAuthority(join(cli.dir, 'foreign'), '/CN=another company');
    const client = foreign.issue('client', ['DNS:client'], { usage: 'clientAuth' });
    write('moved', { driver: 'generic', address: `localhost:${engine.port}` });
    write('expired', { client: authority.issue('old', ['DNS:client'], { usage: 'clientAuth', days: -1 }) });
    write('foreign', { authority: foreign, client });
    write('refused', { client });
    write('stopped', { driver: 'generic', address: '127.0.0.1:1' });
    const told = [];
    for (const name of ['moved', 'expired', 'foreign', 'refused', 'stopped']) told.push(await show(name));
    expect(told).toMatchInlineSnapshot(`
      [
        [
          3,
          "engine-unreachable",
          "cannot reach the container engine of the machine moved at tcp://localhost:PORT (from flag --machine): its certificate is for another address: the machine has got a new one, or another machine has this one (REASON)",
          [
            "docker-machine ip moved",
            "docker-machine regenerate-certs moved",
            "gbuild doctor",
          ],
        ],
        [
          3,
          "engine-unreachable",
          "cannot reach the container engine of the machine expired at tcp://ADDRESS:2376 (from flag --machine): the certificate STORE/machines/expired/cert.pem expired on DATE (REASON)",
          [
            "docker-machine regenerate-certs --client-certs expired",
            "gbuild doctor",
          ],
        ],
        [
          3,
          "engine-unreachable",
          "cannot reach the container engine of the machine foreign at tcp://ADDRESS:2376 (from flag --machine): its certificate is not signed by the authority in STORE/machines/foreign/ca.pem (REASON)",
          [
            "docker-machine regenerate-certs foreign",
            "gbuild doctor",
          ],
        ],
        [
          3,
          "engine-unreachable",
          "cannot reach the container engine of the machine refused at tcp://ADDRESS:2376 (from flag --machine): it refuses STORE/machines/refused/cert.pem (valid until DATE): that is of another authority, or its clock is wrong (REASON)",
          [
            "docker-machine regenerate-certs refused",
            "docker-machine ssh refused date -u; date -u",
            "gbuild doctor",
          ],
        ],
        [
          3,
          "engine-unreachable",
          "cannot reach the container engine of the machine stopped at tcp://127.0.0.1:1 (from flag --machine): no engine listens there: the machine or its engine is stopped (REASON)",
          [
            "docker-machine start stopped",
            "docker-machine ssh stopped sudo systemctl restart docker",
            "gbuild doctor",
          ],
        ],
      ]
    `);
  });

  test('is never exchanged for an engine of this machine', async () => {
    write('stopped', { driver: 'generic', address: '127.0.0.1:1' });
    const { exitCode, stderr } = await cli.run(['toolchain', 'ls', '--machine', 'stopped'], {
      env: { ...env, DOCKER_HOST: engine.host },
    });
    expect([exitCode, stderr]).toEqual([3, expect.stringContaining('of the machine stopped at tcp://127.0.0.1:1')]);
  });
});

/** docker-machine as far as gbuild calls it, for a driver that can be started; the state is a file. */
function writeProgram(binDir: string, name: string): void {
  mkdirSync(binDir, { recursive: true });
  const dir = join(store, 'machines', name);
  const script = `#!/bin/sh
case "$1" in
inspect) cat '${dir}/config.json' ;;
status) if [ -e '${dir}/on' ]; then echo Running; else echo Stopped; fi ;;
start) [ ! -e '${dir}/broken' ] || { echo 'no such disk' >&2; exit 1; }; touch '${dir}/on' ;;
env)
  [ -e '${dir}/on' ] || { echo 'Error checking TLS connection: Host is not running' >&2; exit 1; }
  [ ! -e '${dir}/mute' ] || exit 0
  echo 'export DOCKER_TLS_VERIFY="1"'
  echo 'export DOCKER_HOST="tcp://${engine.address}:2376"'
  echo 'export DOCKER_CERT_PATH="${dir}"'
  echo 'export DOCKER_MACHINE_NAME="${name}"' ;;
esac
`;
  writeFileSync(join(binDir, 'docker-machine'), script);
  chmodSync(join(binDir, 'docker-machine'), 0o755);
}

describe('with docker-machine at hand', () => {
  const binDir = join(cli.dir, 'bin');
  const withProgram = { PATH: `${binDir}:${process.env.PATH}` };

  test('a stopped machine is started, after saying so; what only looks does not start it', async () => {
    write('asleep', {});
    writeProgram(binDir, 'asleep');
    const on = join(store, 'machines/asleep/on');
    expect(await show('asleep', withProgram)).toMatchInlineSnapshot(`
      [
        3,
        "engine-unreachable",
        "the machine asleep is stopped",
        [
          "docker-machine start asleep",
        ],
      ]
    `);
    expect(existsSync(on)).toBe(false);
    const { exitCode, stderr } = await cli.run(['toolchain', 'ls', '--machine', 'asleep'], {
      env: { ...env, ...withProgram },
    });
    expect([exitCode, stderr]).toEqual([0, 'the machine asleep is stopped: docker-machine start asleep\n']);
    expect(existsSync(on)).toBe(true);
  });

  test('a machine that does not start, and one whose env prints nothing, are errors', async () => {
    write('asleep', {});
    writeProgram(binDir, 'asleep');
    rmSync(join(store, 'machines/asleep/on'), { force: true });
    writeFileSync(join(store, 'machines/asleep/broken'), '');
    const { exitCode, stderr } = await cli.run(['toolchain', 'ls', '--machine', 'asleep'], {
      env: { ...env, ...withProgram },
    });
    writeFileSync(join(store, 'machines/asleep/on'), '');
    writeFileSync(join(store, 'machines/asleep/mute'), '');
    expect([exitCode, stderr, await show('asleep', withProgram)]).toMatchInlineSnapshot(`
      [
        3,
        "the machine asleep is stopped: docker-machine start asleep
      error: the machine asleep is stopped and could not be started: no such disk
        try: docker-machine start asleep
      ",
        [
          2,
          "usage",
          "the machine asleep cannot be used: "docker-machine env asleep" names no engine",
          [
            "docker-machine env asleep",
            "docker-machine regenerate-certs asleep",
          ],
        ],
      ]
    `);
  });
});

describe('with the real docker-machine', () => {
  const realStore = join(cli.dir, 'real');
  let binDir: string;
  let real: TlsEngine;

  beforeAll(async () => {
    binDir = await buildDockerMachine();
    const create = (name: string, url: string) =>
      runMachine(binDir, realStore, 'create', '--driver', 'none', '--url', url, name);
    create('seed', 'tcp://127.0.0.1:1');
    const certs = join(realStore, 'certs');
    const authority = openAuthority(cli.dir, join(certs, 'ca.pem'), join(certs, 'ca-key.pem'));
    const client = { certFile: join(certs, 'cert.pem'), keyFile: join(certs, 'key.pem') };
    real = await startTlsEngine(inject('engineHost'), { open: () => ({ authority, client }) });
    create('works', `tcp://${real.address}:2376`);
    create('moved', `tcp://localhost:${real.port}`);
    writeMachine(realStore, 'far', { driver: 'generic', address: `127.0.0.1:${real.port}`, authority, client });
  });
  afterAll(() => real?.[Symbol.asyncDispose]());

  const ask = (name: string) => show(name, { MACHINE_STORAGE_PATH: realStore, PATH: `${binDir}:${process.env.PATH}` });

  test('a machine of driver none is reached, with the certificates of the store', async () => {
    expect(await ask('works')).toMatchObject({
      engine: { machine: 'works', url: `tcp://${real.address}:2376`, tls: { dir: join(realStore, 'certs') } },
    });
  });

  test('what its own check refuses is an error with what mends it, and so is what it does not know', async () => {
    const told = [];
    for (const name of ['seed', 'moved', 'far', 'gone']) told.push(await ask(name));
    const plain = JSON.stringify(told).replaceAll(realStore, 'REAL').replaceAll(String(real.port), 'PORT');
    expect(JSON.parse(plain)).toMatchInlineSnapshot(`
      [
        [
          3,
          "engine-unreachable",
          "the machine seed cannot be used: no engine listens there: the machine or its engine is stopped (REASON)",
          [
            "docker-machine start seed",
            "docker-machine ssh seed sudo systemctl restart docker",
          ],
        ],
        [
          3,
          "engine-unreachable",
          "the machine moved cannot be used: its certificate is for another address: the machine has got a new one, or another machine has this one (REASON)",
          [
            "docker-machine ip moved",
            "docker-machine regenerate-certs moved",
          ],
        ],
        [
          3,
          "engine-unreachable",
          "the machine far is stopped",
          [
            "docker-machine start far",
          ],
        ],
        [
          2,
          "usage",
          "flag --machine: no machine "gone" in REAL (there: far, moved, seed, works)",
          [
            "docker-machine ls",
            "gbuild engine ls",
          ],
        ],
      ]
    `);
  });

  test('is not needed: the store that it wrote says the same', async () => {
    expect(await show('works', { MACHINE_STORAGE_PATH: realStore })).toMatchObject({ engine: { machine: 'works' } });
  });
});
