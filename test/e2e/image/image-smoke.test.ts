import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { commitAll, openCli } from '../../support/cli/cli.ts';
import { listTags, removeRepository } from '../../support/engines/engine-images.ts';
import { listLeft } from '../../support/engines/engine-left.ts';
import { ensureTestImage, smallImage } from '../../support/images/base-image.ts';

const engine = inject('engineHost');
const cli = openCli({ engine, toolchain: smallImage });
const names: string[] = [];
beforeAll(() => ensureTestImage(engine, smallImage));
afterAll(async () => {
  for (const name of names) await removeRepository(engine, name);
  cli[Symbol.dispose]();
});

/** A repository whose image starts this script, and how it is tried. */
function repository(name: string, server: string, image: string): { cwd: string; name: string } {
  const full = `e2e-smoke-${name}-${process.pid}`;
  names.push(full);
  const spec = `image:
  base: ${smallImage}
  entrypoint: [sh, server.sh]
  layers: [{name: application, from: [server.sh]}]
  ${image}
`;
  return { name: full, cwd: cli.tasks(full, spec, { 'server.sh': server }) };
}

const serve = 'mkdir -p /tmp/w; echo serving; id -u; exec httpd -f -p 8080 -h /tmp/w\n';

/** Lists what the engine has of the repository in the end. */
async function whatIsLeft(name: string) {
  const { containers } = await listLeft(engine, `io.gbuild.repository=${name}`);
  return { containers, tags: await listTags(engine, name) };
}

const nothing = { containers: [], tags: [] };

test('an image that listens gets its name, and nothing of the trial stays', async () => {
  const { name, cwd } = repository('good', serve, 'smoke: {port: 8080, readOnly: true}');
  const plan = await cli.run(['plan', 'image'], { cwd });
  expect(plan.stdout).toContain('tried       without a network until: port 8080 (within 60 s)\n');
  const { exitCode, stderr } = await cli.run(['image', '--tag', 'tried'], { cwd });
  expect(exitCode, stderr).toBe(0);
  expect(stderr).toContain('until it listens on port 8080');
  const { containers, tags } = await whatIsLeft(name);
  expect([containers, tags]).toEqual([[], [expect.stringContaining(':dev-'), `${name}:tried`]]);
});

test('one whose program ends gets no name: its exit code and last words are told', async () => {
  const { name, cwd } = repository('crash', 'echo no database >&2; exit 7\n', 'smoke: {port: 8080}');
  const { exitCode, stderr } = await cli.run(['image'], { cwd });
  expect(
    cli
      .plain(stderr.slice(stderr.indexOf('error:')))
      .replaceAll(String(process.pid), '<pid>')
      .replace(/dev-\w+/, '<tag>'),
  ).toMatchInlineSnapshot(`
    "error: e2e-smoke-crash-<pid>:<tag> ended with exit code 7 before it listens on port 8080
      no database
      try: less <dir>/state/gbuild/runs/<run>/image.log
      try: see image.smoke in gbuild.yml
    "
  `);
  expect(exitCode).toBe(7);
  expect(await whatIsLeft(name)).toEqual(nothing);
});

test('one that never listens is given up at the time limit, with the exit code of one', async () => {
  const { name, cwd } = repository('silent', 'echo waiting; exec sleep 600\n', 'smoke: {port: 8080, timeout: 3s}');
  const { exitCode, stderr } = await cli.run(['image'], { cwd });
  expect(stderr).toContain('was not ready within 3 s: nothing listens on its port 8080\n  waiting\n');
  expect(exitCode).toBe(4);
  expect(await whatIsLeft(name)).toEqual(nothing);
});

test('with a read-only root it may write to /tmp and to writable folders alone', async () => {
  const script = 'touch /tmp/x && touch /app/uploads/x && echo more >>/app/uploads/list && ! touch /app/x\n';
  const good = repository('read-only', script, 'writable: [uploads]\n  smoke: {until: exit, readOnly: true}');
  const passed = await cli.run(['image'], { cwd: good.cwd });
  expect(passed.exitCode, passed.stderr).toBe(0);
  const bad = repository('writes', 'echo x >/var/x || exit 3\n', 'user: root\n  smoke: {until: exit, readOnly: true}');
  const { exitCode, stderr } = await cli.run(['image'], { cwd: bad.cwd });
  expect([exitCode, stderr]).toEqual([3, expect.stringContaining('Read-only file system')]);
  expect(await whatIsLeft(bad.name)).toEqual(nothing);
  const free = repository('may', 'echo x >/var/x || exit 3\n', 'user: root\n  smoke: exit');
  expect((await cli.run(['image'], { cwd: free.cwd })).exitCode).toBe(0);
});

test('runs as its user, with its own environment, without a network', async () => {
  const script = 'test "$(id -u):$WORD" = 65532:said && test "$(ls /sys/class/net)" = lo\n';
  const { cwd } = repository('as-it-is', script, 'smoke: {until: exit, env: {WORD: said}}');
  const { exitCode, stderr } = await cli.run(['image'], { cwd });
  expect(exitCode, stderr).toBe(0);
  expect(stderr).toContain('until it ends with exit code 0');
});

test('its health is asked in it, and an image without one is refused before it is started', async () => {
  const health = 'health: {cmd: [wget, -qO-, "http://127.0.0.1:8080/index.html"]}';
  const page = serve.replace('echo serving', 'sleep 1; echo page >/tmp/w/index.html; echo serving');
  const good = repository('health', page, `${health}\n  smoke: health`);
  const passed = await cli.run(['image'], { cwd: good.cwd });
  expect(passed.exitCode, passed.stderr).toBe(0);
  const bad = repository('unwell', serve, `${health}\n  smoke: {until: health, timeout: 3s}`);
  const { exitCode, stderr } = await cli.run(['image'], { cwd: bad.cwd });
  expect([exitCode, stderr]).toEqual([4, expect.stringContaining('404')]);
  const none = repository('no-health', serve, 'smoke: health');
  const refused = await cli.run(['image'], { cwd: none.cwd });
  expect(refused.stderr).toContain(
    'asks its health, and it has no health check\n  try: write image.health in gbuild.yml\n',
  );
  expect([refused.exitCode, await whatIsLeft(none.name)]).toEqual([2, nothing]);
});

test('meets the services that it names, and no others', async () => {
  const script = 'wget -qO- http://web/ && ! wget -qO- http://other/\n';
  const web = (text: string) =>
    `{image: ${smallImage}, command: [sh, -c, 'mkdir /tmp/w; echo ${text} >/tmp/w/index.html; exec httpd -f -p 80 -h /tmp/w'], ready: {port: 80}}`;
  const { name, cwd } = repository(
    'services',
    script,
    `smoke: {until: exit, services: [web]}\nservices:\n  web: ${web('hello')}\n  other: ${web('other')}`,
  );
  const { exitCode, stderr } = await cli.run(['image'], { cwd });
  expect(exitCode, stderr).toBe(0);
  expect(stderr).toContain('until it ends with exit code 0');
  expect((await whatIsLeft(name)).containers).toEqual([]);
});

test('a release that fails its trial has no name anywhere', async () => {
  const { name, cwd } = repository('release', 'exit 9\n', 'smoke: exit');
  expect((await cli.run(['lock'], { cwd })).exitCode).toBe(0);
  commitAll(cwd, 'locked');
  const { exitCode, stderr } = await cli.run(['image', '--release', '1.0.0'], { cwd });
  expect([exitCode, stderr]).toEqual([9, expect.stringContaining(`${name}:1.0.0 ended with exit code 9`)]);
  expect(await whatIsLeft(name)).toEqual(nothing);
  expect((await cli.run(['releases', name], { cwd })).stdout).not.toContain('1.0.0');
});

test('an interrupt ends the trial: nothing of it stays', async () => {
  const { name, cwd } = repository('interrupted', 'echo up; exec sleep 600\n', 'smoke: {port: 8080}');
  const running = cli.start(['image'], { cwd });
  await running.until('until it listens');
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  running.kill('SIGINT');
  expect((await running.ended).exitCode).toBe(130);
  expect(await whatIsLeft(name)).toEqual(nothing);
});

test('a mistake in image.smoke is told with its place', async () => {
  const { cwd } = repository('mistaken', serve, 'smoke: {port: 8080, until: exit, services: [db]}');
  const { exitCode, stderr } = await cli.run(['image'], { cwd });
  expect(exitCode).toBe(2);
  expect(stderr).toContain('image.smoke: expected one of port, cmd and until');
  expect(stderr).toContain('image.smoke.services[0]: expected the name of a service');
});
