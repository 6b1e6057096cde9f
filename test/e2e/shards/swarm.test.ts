import { existsSync, globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { type Cli, openCli } from '../../support/cli/cli.ts';
import { smallImage } from '../../support/images/base-image.ts';
import { registryUser } from '../../support/registry/registry.ts';
import { authOf } from '../../support/registry/registry-home.ts';
import { listLeftInTheEnd, type Swarm, startSwarm } from '../../support/remote-engines/swarm.ts';

let swarm: Swarm;
let cli: Cli;
beforeAll(async () => {
  swarm = await startSwarm(inject('engineHost'), 3, smallImage);
  const { registry, nodes } = swarm;
  cli = openCli({ engine: nodes[0]!.host, toolchain: `{image: "${smallImage}"}`, ownCache: true });
  write('home/.config/gbuild/config.yml', `config: 1\nregistries: {"${registry.host}": {insecure: true}}\n`);
  write('home/.docker/config.json', JSON.stringify({ auths: { [registry.host]: authOf(registryUser) } }));
});
afterAll(async () => {
  cli?.[Symbol.dispose]();
  await swarm?.[Symbol.asyncDispose]();
});

function write(path: string, text: string): void {
  mkdirSync(join(cli.dir, path, '..'), { recursive: true });
  writeFileSync(join(cli.dir, path), text);
}

const onSwarm = (shards = 3) => ['--on', 'swarm', '--shards', String(shards), '--registry', swarm.registry.host];

const plain = (text: string) =>
  cli
    .plain(text)
    .replaceAll(swarm.registry.host, '<registry>')
    .replace(/id-[0-9a-f]{40}/g, 'id-<id>')
    .replace(/[\d.]+ (?:bytes|kB|MB)/g, '<size>')
    .replaceAll(swarm.nodes[0]!.host, '<manager>');

test('shards are jobs: each has its part and the workspace as it is here; outputs and reports come back, nothing stays', async () => {
  const body = `env: {GREETING: "it's"}
tasks:
  prepare: |
    printf 'made by %s' $GBUILD_TASK > made
    echo to stderr >&2
    sleep 60 &
  test:
    needs: [prepare]
    workdir: sub
    split: [sub/*.case]
    reports: ["reports/**/*.xml"]
    run: |
      ./show ../made
      echo ", $GREETING $GBUILD_SHARD of $GBUILD_SHARDS: $(cat $GBUILD_SHARD_FILES)"
      mkdir -p ../reports/deep
      echo "<testsuite><testcase name='it' file='$(cat $GBUILD_SHARD_FILES)' time='1'/></testsuite>" > ../reports/deep/it.xml
      echo $GBUILD_SHARD > ../reports/not-asked.txt
      head -c 20000 /dev/zero | tr '\\0' a; echo
      printf 'bytes \\377\\376, no end'
`;
  const files = { 'sub/a.case': 'a\n', 'sub/b.case': 'b\n', 'sub/c.case': 'c\n', 'sub/show': '#!/bin/sh\ncat "$1"\n' };
  const cwd = cli.tasks('swarm-parts', body, { '.gitignore': 'reports/\n', ...files });
  const { exitCode, stdout, stderr } = await cli.run(['test', ...onSwarm()], { cwd });
  expect(exitCode, stderr).toBe(0);
  const long = 'a'.repeat(20000);
  const part = (number: number, name: string) =>
    `made by prepare, it's ${number} of 3: ${name}.case\n${long}\nbytes ��, no end`;
  expect(stdout).toBe([part(1, 'a'), part(2, 'b'), part(3, 'c')].join(''));
  const [log] = globSync('runs/*/shard-1/test.log', { cwd: cli.stateDir });
  const end = readFileSync(join(cli.stateDir, log!)).subarray(-16);
  expect(end.toString('latin1')).toBe('bytes \xff\xfe, no end'.slice(-16));
  expect(plain(stderr).split('> shard 2')[0]).toMatchInlineSnapshot(`
    "gbuild-test/small:bookworm is gbuild-test/small bookworm: written to gbuild.lock; commit it
    > pushing <registry>/gbuild/image:id-<id>
    + pushing <registry>/gbuild/image:id-<id> (<time>)
    > pushing the workspace to <registry>/gbuild/workspace/swarm-parts
    sent 4 of 5 layers, <size>
    + pushing the workspace to <registry>/gbuild/workspace/swarm-parts (<time>)
    > shard 1 of 3 on swarm
    > prepare: printf 'made by %s' $GBUILD_TASK > made ...
    to stderr
    + prepare passed (<time>)
    > test: ./show ../made ...
    + test passed (<time>)
    + shard 1 of 3 passed on swarm (<time>)
    "
  `);
  const report = readFileSync(join(cwd, 'reports/deep/it.xml'), 'utf8');
  expect(report.match(/\w\.case/g)).toEqual(['a.case', 'b.case', 'c.case']);
  expect(existsSync(join(cwd, 'reports/not-asked.txt'))).toBe(false);
  expect(existsSync(join(cwd, 'made'))).toBe(false);
  expect(await listLeftInTheEnd(swarm)).toEqual([]);

  writeFileSync(join(cwd, 'sub/show'), '#!/bin/sh\necho changed; cat "$1"\n', { mode: 0o755 });
  const second = await cli.run(['test', ...onSwarm(1)], { cwd });
  expect(second.exitCode, second.stderr).toBe(0);
  expect(second.stdout).toContain('changed\nmade by prepare');
  expect(plain(second.stderr)).toMatch(/^sent 1 of \d+ layers, <size>$/m);
});

test('a shard that fails gives the verdict, with its own code; one that is too slow ends by its limit', async () => {
  const body = `tasks:
  fails: '[ $GBUILD_SHARD = 1 ] || exit 7'
  after: {run: echo never, needs: [fails]}
  slow: {run: sleep 60, timeout: 1s}
`;
  const cwd = cli.tasks('swarm-fails', body);
  const failed = await cli.run(['run', 'after', ...onSwarm(2)], { cwd });
  expect([failed.exitCode, failed.stdout], failed.stderr).toEqual([7, 'never\n']);
  expect(plain(failed.stderr).split('error: ')[1]?.split('\n')[0]).toMatchInlineSnapshot(
    `"shard 2 of 2: task fails failed with exit code 7; skipped: after (<time>)"`,
  );
  const slow = await cli.run(['run', 'slow', ...onSwarm(1)], { cwd });
  expect(slow.exitCode, slow.stderr).toBe(4);
  expect(await listLeftInTheEnd(swarm)).toEqual([]);
});

test('Ctrl-C ends the jobs, and so does the next run where gbuild was killed', async () => {
  const cwd = cli.tasks('swarm-stop', 'tasks:\n  test: echo begun; sleep 60\n  quick: "true"\n');
  const running = cli.start(['test', ...onSwarm(2)], { cwd });
  await running.until('begun');
  running.kill('SIGINT');
  expect((await running.ended).exitCode).toBe(130);
  expect(await listLeftInTheEnd(swarm)).toEqual([]);

  const killed = cli.start(['test', ...onSwarm(1)], { cwd });
  await killed.until('begun');
  killed.kill('SIGKILL');
  await killed.ended;
  const cleaned = await cli.run(['clean', '--json'], { cwd });
  const { services, secrets } = JSON.parse(cleaned.stdout) as { services: string[]; secrets: string[] };
  expect([services.length, secrets.length]).toEqual([1, 1]);
  expect(await listLeftInTheEnd(swarm)).toEqual([]);
});

test('what a swarm cannot do is refused before anything is sent', async () => {
  const refuse = async (name: string, body: string, args = onSwarm(), env = {}) => {
    const { exitCode, stderr } = await cli.run(['test', ...args], { cwd: cli.tasks(name, body), env });
    return `${exitCode} ${plain(stderr)}`;
  };
  const simple = 'tasks:\n  test: "true"\n';
  expect(
    await refuse('swarm-secret', 'secrets:\n  TOKEN: {env: TOKEN}\ntasks:\n  test: {run: "true", secrets: [TOKEN]}\n'),
  ).toMatchInlineSnapshot(`
    "2 error: task test needs secrets (TOKEN), and the nodes of a swarm keep what it prints in their logs
      try: gbuild test --on NAME,NAME   # contexts, machines or addresses: see "gbuild engine ls"
    "
  `);
  expect(await refuse('swarm-network', `network: none\n${simple}`)).toMatchInlineSnapshot(`
    "2 error: network: none in gbuild.yml: a swarm runs jobs on "bridge" and "host" only
      try: gbuild test --on NAME,NAME   # contexts, machines or addresses: see "gbuild engine ls"
    "
  `);
  const beside = 'services:\n  db: {run: sleep 9}\ntasks:\n  test: {run: "true", services: [db]}\n';
  expect(await refuse('swarm-services', beside)).toMatch(
    /^2 error: task test has services, which a job of a swarm cannot have\n/,
  );
  expect(await refuse('swarm-nowhere', simple, ['--on', 'swarm', '--shards', '2'])).toMatchInlineSnapshot(`
    "2 error: nothing says which registry the nodes of the swarm get the workspace from
      try: gbuild test --on swarm --registry registry.example.com:5000   # one that all nodes reach
      try: export GBUILD_REGISTRY=registry.example.com:5000
      try: write "registry: registry.example.com" in gbuild.yml
    "
  `);
  const worker = { DOCKER_HOST: swarm.nodes[1]!.host };
  expect(
    (await refuse('swarm-worker', simple, onSwarm(), worker)).replaceAll(worker.DOCKER_HOST, '<worker>'),
  ).toMatchInlineSnapshot(`
    "2 error: the engine at <worker> is a worker of a swarm: jobs are given to a manager
      try: gbuild test --on swarm --context a-manager
      try: docker node promote NODE   # on a manager
    "
  `);
  const alone = { DOCKER_HOST: inject('engineHost') };
  expect(
    (await refuse('swarm-alone', simple, onSwarm(), alone)).replaceAll(alone.DOCKER_HOST, '<engine>'),
  ).toMatchInlineSnapshot(`
    "2 error: the engine at <engine> is in no swarm
      try: gbuild test --on swarm --context a-manager
      try: docker swarm init   # on that engine
    "
  `);
});

test('a node that dies has its shard run elsewhere, under one verdict', async () => {
  const body = `tasks:
  test: |
    echo "begun $GBUILD_SHARD"
    while [ ! -e done ]; do sleep 0.2; [ $((i += 1)) -lt 40 ] || touch done; done
    echo "ended $GBUILD_SHARD"
`;
  const cwd = cli.tasks('swarm-death', body);
  const running = cli.start(['test', ...onSwarm()], { cwd });
  await running.until('begun 1');
  await swarm.nodes[2]!.kill();
  const { exitCode, stdout, stderr } = await running.ended;
  expect(exitCode, stderr).toBe(0);
  expect(stdout.match(/^ended \d$/gm)).toEqual(['ended 1', 'ended 2', 'ended 3']);
  // On a busy machine the swarm loses sight of a living node, too: its shard runs again, and the sentence is the same.
  const said = [...stderr.matchAll(/^warning: node (\S+) (.*)$/gm)];
  expect(said.map(([, name]) => name)).toContain(swarm.nodes[2]!.name);
  const sentences = new Set(said.map(([, , rest = '']) => rest.replace(/shard \d/, 'shard N')));
  expect([...sentences]).toEqual([
    'of the swarm is gone: shard N of 3 starts again on another one; its output so far does not count',
  ]);
  expect(await listLeftInTheEnd({ nodes: swarm.nodes.slice(0, 2) })).toEqual([]);
});
