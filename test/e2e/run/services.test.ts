import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { type Cli, copyOf, openCli } from '../../support/cli/cli.ts';
import { askEngine } from '../../support/engines/engine-http.ts';
import { removeTag } from '../../support/engines/engine-images.ts';
import { listLeft } from '../../support/engines/engine-left.ts';
import { ensureTestImage, smallImage } from '../../support/images/base-image.ts';
import { pushFromEngine } from '../../support/images/base-index.ts';
import { openBreakableLine } from '../../support/network/breakable-line.ts';
import { startRegistry } from '../../support/registry/registry.ts';
import { openFarEngine } from '../../support/remote-engines/far-engine.ts';

const engine = inject('engineHost');
const cli = openCli({ engine, toolchain: smallImage });
beforeAll(() => ensureTestImage(engine, smallImage));
afterAll(() => cli[Symbol.dispose]());

/** Containers and networks of a repository's runs, as far as they are there. */
async function listStanding(repository: string, host = engine) {
  const { containers } = await listLeft(host, `io.gbuild.repository=${repository}`);
  const names = new Set<string>();
  for (const id of containers) {
    const { Config } = JSON.parse((await askEngine(host, 'GET', `/containers/${id}/json`)).text);
    names.add(Config.Labels['io.gbuild.run']);
  }
  return { containers, runs: [...names] };
}

async function listNetworks(runId: string, host = engine): Promise<string[]> {
  const filters = encodeURIComponent(JSON.stringify({ label: [`io.gbuild.run=${runId}`] }));
  const found = JSON.parse((await askEngine(host, 'GET', `/networks?filters=${filters}`)).text) as { Name: string }[];
  return found.map(({ Name }) => Name);
}

const runOf = (log: string) => /runs\/(\d{17}-[0-9a-f]{8})\//.exec(log)?.[1] ?? '';

const http = (text: string) => `mkdir -p /tmp/w; echo ${text} >/tmp/w/index.html; exec httpd -f -p 80 -h /tmp/w`;
const web = `{image: ${smallImage}, command: [sh, -c, 'echo serving; ${http('hello')}'], ready: {port: 80}}`;
const dies = (script: string, more = '') => `{image: ${smallImage}, command: [sh, -c, "${script}"]${more}}`;

describe('services', () => {
  test('are there before the task, by their names, and gone after it; one without image has the workspace', async () => {
    const cwd = cli.tasks(
      'e2e-services',
      `services:
  web: ${web.replace('ready', 'ports: [80], ready')}
  app: {run: "cp page /tmp/index.html; exec httpd -f -p 8080 -h /tmp", ready: {cmd: [wget, -qO-, "http://127.0.0.1:8080/"]}}
  unused: {image: no.such/image}
tasks:
  before: echo no service yet
  test: {run: "wget -qO- http://web/; wget -qO- http://app:8080/", needs: [before], services: [web, app]}
`,
      { page: 'from the workspace\n' },
    );
    const { exitCode, stdout, stderr } = await cli.run(['test', '--json'], { cwd });
    expect(exitCode, stderr).toBe(0);
    const { services, tasks } = JSON.parse(stdout);
    expect(stderr.replaceAll('\r', '')).toContain('hello\nfrom the workspace\n');
    expect(stderr.indexOf('no service yet')).toBeLessThan(stderr.indexOf('service web'));
    const [byName] = services.filter(({ name }: { name: string }) => name === 'web');
    const ports = [{ port: 80, protocol: 'tcp', at: expect.stringMatching(/^127\.0\.0\.1:\d+$/) }];
    expect([byName, services.length, tasks.length]).toEqual([{ name: 'web', log: expect.any(String), ports }, 2, 2]);
    expect(readFileSync(byName.log, 'utf8')).toBe('serving\n');
    expect((await listStanding('e2e-services')).containers).toEqual([]);
    expect(await listNetworks(runOf(byName.log))).toEqual([]);
  });

  test('that end or are not ready in time fail the run, each with its last words, and leave nothing', async () => {
    const cwd = cli.tasks(
      'e2e-services-fail',
      `services:
  ends: ${dies('echo one; echo two; exit 3', ', ready: {port: 80}')}
  late: ${dies('echo waiting; sleep 600', ', ready: {port: 80, timeout: 1s}')}
  check: ${dies('sleep 600', ', ready: {cmd: [sh, -c, "echo no such base >&2; exit 9"], timeout: 1s}')}
  crash: ${dies('sleep 1; echo bye; exit 4')}
  gone: {image: ${smallImage}, command: [no-such-command], ready: {port: 80}}
tasks:
  ends: {run: echo ran, services: [ends]}
  late: {run: echo ran, services: [late]}
  check: {run: echo ran, services: [check]}
  crash: {run: sleep 600, services: [crash]}
  gone: {run: echo ran, services: [gone]}
`,
    );
    await cli.run(['lock'], { cwd });
    const failures = [];
    for (const task of ['ends', 'late', 'check', 'crash', 'gone']) {
      const { exitCode, stdout, stderr } = await cli.run(['run', task], { cwd });
      const message = cli
        .plain(stderr.slice(stderr.indexOf('error:')))
        .replace(/"service-.*|(PATH|init).*/g, '...')
        .replace(/tini \(\d+\)/, 'tini (8)');
      failures.push([exitCode, stdout, message]);
    }
    expect(failures).toMatchInlineSnapshot(`
      [
        [
          2,
          "",
          "error: service ends ended with exit code 3 before it was ready
        one
        two
        try: less <dir>/state/gbuild/runs/<run>/services/ends.log
        try: see services.ends in gbuild.yml
      ",
        ],
        [
          2,
          "",
          "error: service late was not ready within <time>: nothing listens on its port 80
        waiting
        try: less <dir>/state/gbuild/runs/<run>/services/late.log
        try: see services.late in gbuild.yml
      ",
        ],
        [
          2,
          "",
          "error: service check was not ready within <time>: sh ended with exit code 9: no such base
        try: less <dir>/state/gbuild/runs/<run>/services/check.log
        try: see services.check in gbuild.yml
      ",
        ],
        [
          2,
          "",
          "error: service crash ended with exit code 4 while a task needed it
        bye
        try: less <dir>/state/gbuild/runs/<run>/services/crash.log
        try: see services.crash in gbuild.yml
      ",
        ],
        [
          2,
          "",
          "error: service gone ended with exit code 127 before it was ready
        [FATAL tini (8)] exec no-such-command failed: No such file or directory
        try: less <dir>/state/gbuild/runs/<run>/services/gone.log
        try: see services.gone in gbuild.yml
      ",
        ],
      ]
    `);
    expect((await listStanding('e2e-services-fail')).containers).toEqual([]);
  });

  test('go when the task fails, runs out of time or is interrupted twice; what kill -9 left is swept with its network', async () => {
    const cwd = cli.tasks(
      'e2e-services-end',
      `services: {web: ${web}}
tasks:
  fail: {run: exit 7, services: [web]}
  nap: {run: sleep 600, timeout: 1s, services: [web]}
  stubborn: {run: "trap '' INT TERM; echo ready; while :; do sleep 1; done", services: [web]}
  next: echo next
`,
    );
    const ends = [];
    for (const task of ['fail', 'nap']) ends.push((await cli.run(['run', task], { cwd })).exitCode);
    const stubborn = cli.start(['run', 'stubborn'], { cwd });
    await stubborn.until('ready\n');
    const { runs } = await listStanding('e2e-services-end');
    stubborn.kill('SIGINT');
    await stubborn.until('a second signal kills at once');
    stubborn.kill('SIGINT');
    ends.push((await stubborn.ended).exitCode);
    expect([ends, (await listStanding('e2e-services-end')).containers]).toEqual([[7, 4, 130], []]);
    expect(await listNetworks(runs[0]!)).toEqual([]);
    const killed = cli.start(['run', 'stubborn'], { cwd });
    await killed.until('ready\n');
    const left = await listStanding('e2e-services-end');
    killed.kill('SIGKILL');
    await killed.ended;
    expect([left.containers.length, (await listNetworks(left.runs[0]!)).length]).toEqual([2, 1]);
    expect((await cli.run(['run', 'next'], { cwd })).exitCode).toBe(0);
    expect([(await listStanding('e2e-services-end')).containers, await listNetworks(left.runs[0]!)]).toEqual([[], []]);
  });

  test('are ready when the health check of their image says so', async () => {
    const made = await askEngine(engine, 'POST', '/containers/create', { json: { Image: smallImage, Cmd: ['true'] } });
    const { Id } = JSON.parse(made.text) as { Id: string };
    const changes = encodeURIComponent('HEALTHCHECK CMD test -e /tmp/healthy');
    const image = `gbuild-test/healthy:${process.pid}`;
    try {
      await askEngine(
        engine,
        'POST',
        `/commit?container=${Id}&repo=${image.replace(':', '&tag=')}&changes=${changes}`,
        {
          json: {},
        },
      );
      const script = 'mkdir -p /tmp; sleep 1; touch /tmp/healthy; echo is well; sleep 600';
      const cwd = cli.tasks(
        'e2e-services-health',
        `services: {db: {image: "${image}", command: [sh, -c, "${script}"]}}\ntasks: {test: {run: echo tested, services: [db]}}\n`,
      );
      const { exitCode, stdout, stderr } = await cli.run(['test', '--json'], { cwd });
      expect(exitCode, stderr).toBe(0);
      expect(readFileSync(JSON.parse(stdout).services[0].log, 'utf8')).toBe('is well\n');
    } finally {
      await askEngine(engine, 'DELETE', `/containers/${Id}?force=1`);
      await askEngine(engine, 'DELETE', `/images/${image}?force=1`);
    }
  });

  test('whose image the engine lacks have it pulled; one that no registry has is named', async () => {
    await using registry = await startRegistry();
    const there = `${registry.host}/web:1`;
    const missing = `${registry.host}/none:1`;
    await pushFromEngine(engine, smallImage, { registry: registry.host, path: 'web', tag: '1' });
    const service = (image: string) => web.replace(smallImage, image);
    const cwd = cli.tasks(
      'e2e-services-pulled',
      `services:\n  web: ${service(there)}\n  gone: ${service(missing)}\ntasks:
  test: {run: "wget -qO- http://web/", services: [web]}\n  bad: {run: echo ran, services: [gone]}\n`,
    );
    try {
      const { exitCode, stdout, stderr } = await cli.run(['test'], { cwd });
      expect([exitCode, stdout], stderr).toEqual([0, 'hello\n']);
      const failed = await cli.run(['run', 'bad'], { cwd });
      expect([failed.exitCode, failed.stdout], failed.stderr).toEqual([3, '']);
      expect(failed.stderr).toContain(missing);
      expect((await listStanding('e2e-services-pulled')).containers).toEqual([]);
    } finally {
      await removeTag(engine, there);
    }
  });

  test('stand in the plan', async () => {
    const cwd = cli.tasks('e2e-services-plan', `services: {web: ${web}}\ntasks: {test: {run: x, services: [web]}}\n`);
    const { stdout } = await cli.run(['plan', 'test'], { cwd });
    expect(stdout.split('\n').filter((line) => line.includes('web'))).toEqual([
      expect.stringMatching(/^services {4}web: gbuild-test\/small:bookworm sh -c /),
      '  services  web',
    ]);
  });
});

test('services of an engine elsewhere are reached there by name, and see the workspace that was sent', async () => {
  await using opened = await openFarEngine(engine, { toolchain: inject('baseImage') });
  await ensureTestImage(opened.far.host, smallImage);
  const ask = 'exec 3<>/dev/tcp/web/80; printf "GET / HTTP/1.0\\\\r\\\\n\\\\r\\\\n" >&3; tail -n 1 <&3';
  const cwd = opened.cli.tasks(
    'e2e-services-far',
    `services:
  web: ${web}
  own: {run: cat page; exec sleep 600}
tasks:
  test: {run: [bash, -c, "${ask.replaceAll('"', '\\"')}"], services: [web, own]}
`,
    { page: 'from the workspace\n' },
  );
  const { exitCode, stdout, stderr } = await opened.cli.run(['test', '--json'], { cwd });
  expect([exitCode, stderr], stderr).toEqual([0, expect.stringContaining('hello\n')]);
  const { services } = JSON.parse(stdout);
  const own = services.find(({ name }: { name: string }) => name === 'own');
  expect(readFileSync(own.log, 'utf8')).toBe('from the workspace\n');
});

test('services stay with a task that lost its engine, and go when one has attached to its end', async () => {
  await using line = await openBreakableLine(engine);
  using away: Cli = openCli({ engine: line.host, toolchain: smallImage });
  const script = 'echo ready; sleep 4; wget -qO- http://web/; exit 9';
  const cwd = away.tasks(
    'e2e-services-away',
    `services: {web: ${web}}\ntasks:\n  test: {run: "${script}", services: [web]}\n  next: "true"\n`,
  );
  const running = away.start(['test'], { cwd, env: { GBUILD_RECONNECT: '1s' } });
  await running.until('ready\n');
  const [runId = ''] = (await listStanding('e2e-services-away')).runs;
  line.cut();
  const lost = await running.ended;
  expect([lost.exitCode, lost.stderr]).toEqual([3, expect.stringContaining(`gbuild attach ${runId}`)]);
  line.restore();
  expect((await away.run(['run', 'next'], { cwd })).exitCode).toBe(0);
  expect((await listStanding('e2e-services-away')).containers).toHaveLength(2);
  const attached = await away.run(['attach', runId], { cwd });
  expect([attached.exitCode, attached.stdout]).toEqual([9, 'hello\n']);
  expect([(await listStanding('e2e-services-away')).containers, await listNetworks(runId)]).toEqual([[], []]);
  expect(existsSync(join(away.stateDir, 'runs', runId, 'services/web.log'))).toBe(true);
});

test('examples/node-services is tested against its own service, in its own toolchain', {
  timeout: 600_000,
}, async () => {
  const cwd = copyOf('examples/node-services', join(cli.dir, 'example'), `e2e-node-services-${process.pid}`);
  const { exitCode, stdout, stderr } = await cli.run(['test'], { cwd });
  expect([exitCode, stdout], stderr).toEqual([0, expect.stringContaining('pass 1')]);
  expect(stderr).toContain('+ service counter (');
});
