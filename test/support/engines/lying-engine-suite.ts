import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { mapInOrder } from '../../../src/registry/image/map-in-order.ts';
import { type Cli, commitAll, openCli } from '../cli/cli.ts';
import { baseImage, ensureTestImage, smallImage } from '../images/base-image.ts';
import { type EngineContainer, startEngineContainer } from './engine-container.ts';
import { askEngine } from './engine-http.ts';
import { importImage, inspectImage, removeRepository } from './engine-images.ts';
import { listLeft } from './engine-left.ts';
import { type Lie, type LyingOptions, lies, startLyingEngine } from './lying-engine.ts';

/** Command on one engine, each time in a separate repository. */
interface Scenario {
  engine: string;
  args: string[];
  /** Makes the repository. Returns its folder. */
  open(name: string): Promise<string>;
  /** Checks the state after a success, or after a repetition. */
  check?(name: string): Promise<void>;
}

/** Chooses the lies in a scenario with these requests, each named by its kind. */
export type Choose = (kinds: string[], engine: string) => LyingOptions[];

/** Chooses the first request of each kind in the first scenario that has it, with one lie after the other. */
export function sampleLies(): Choose {
  const met = new Set<string>();
  return (kinds) =>
    [...new Set(kinds)].flatMap((kind): LyingOptions[] => {
      if (met.has(kind)) return [];
      met.add(kind);
      return [{ kind, lie: lies[met.size % lies.length]! }];
    });
}

/**
 * Pairs, on each engine, every kind of request with every lie, at one of its requests after the other. Each request
 * meets at least one.
 */
export function pairLies(): Choose {
  const met = new Set<string>();
  return (kinds, engine) =>
    [...new Set(kinds)].flatMap((kind) => {
      const places = kinds.flatMap((each, index) => (each === kind ? [index + 1] : []));
      const unmet = lies.filter((lie) => !met.has(`${engine} ${kind} ${lie}`));
      for (const lie of unmet) met.add(`${engine} ${kind} ${lie}`);
      const paired = unmet.map((lie, turn): LyingOptions => ({ at: places[turn % places.length]!, lie }));
      const others = places.slice(unmet.length).map((at): LyingOptions => ({ at, lie: lies[at % lies.length]! }));
      return [...paired, ...others];
    });
}

/** Chooses every request with every lie. */
export const allLies: Choose = (kinds) =>
  kinds.flatMap((_, index) => lies.map((lie): LyingOptions => ({ at: index + 1, lie })));

/** Folder of Node's own. */
const compileCache = 'node-compile-cache';
/** Number of lies at the same time in each of the three scenarios: most of a run is waiting for the limits. */
const atOnce = 4;
/** Limits of a thirtieth of gbuild's own, so that a minute takes two seconds. */
const hasty = { GBUILD_REQUEST_TIMEOUT: '2s', GBUILD_RECONNECT: '3s' };
const mostMilliseconds = 120_000;

/**
 * Tests gbuild on engines that stall, break and lie at one request. It must end within two minutes, with success or
 * exit code 3, and leave nothing.
 */
export function describeEngineLies(choose: Choose): void {
  const outer = inject('engineHost');
  const cli = openCli({ ownCache: true, toolchain: smallImage });
  const repository = `e2e-lies-${process.pid}`;
  const baseName = `${repository}-base`;
  const temporaryOf = (name: string) => join(cli.dir, `tmp-${name}`);
  let far: EngineContainer;
  let told = 0;
  let ended3 = 0;

  beforeAll(async () => {
    await ensureTestImage(outer, smallImage);
    await importImage(outer, `${baseName}:1`, { here: 'a base' });
    far = await startEngineContainer(outer);
    await ensureTestImage(far.host, baseImage);
  });
  afterAll(async () => {
    await removeRepository(outer, baseName);
    await far?.[Symbol.asyncDispose]();
    cli[Symbol.dispose]();
    process.stderr.write(`engine lies: ${told} told, ${ended3} ended with exit code 3, the others well\n`);
  });

  const scenarios: Record<string, () => Scenario> = {
    'a test with a service and a secret': () => ({
      engine: outer,
      args: ['test'],
      open: async (name) =>
        cli.tasks(
          name,
          `services:
  web:
    image: ${smallImage}
    command: [sh, -c, "mkdir /tmp/w; echo up >/tmp/w/index.html; exec httpd -f -p 80 -h /tmp/w"]
    ready: {cmd: [wget, -qO-, "http://127.0.0.1/"], timeout: 10s}
    ports: [80]
secrets: {KEY: {env: GIVEN}}
tasks:
  test: {run: 'wget -qO- http://web/; wc -c <$KEY_FILE', services: [web], secrets: [KEY]}
`,
        ),
    }),
    'a release': () => ({
      engine: outer,
      args: ['image', '--release', '1.0.0'],
      open: async (name) => {
        const cwd = cli.tasks(
          name,
          `image:\n  base: ${baseName}:1\n  entrypoint: [/app/src/run]\n  layers: [{name: application, from: [src]}]\ntasks:\n  build: echo built\n`,
          { 'src/run': '#!/bin/sh\n' },
        );
        lock ??= await makeLock(cwd, ownFolders(name));
        writeFileSync(join(cwd, 'gbuild.lock'), lock);
        commitAll(cwd, 'locked');
        return cwd;
      },
      check: async (name) => {
        expect((await inspectImage(outer, `${name}:1.0.0`))?.Config.Entrypoint).toEqual(['/app/src/run']);
        await removeRepository(outer, name);
      },
    }),
    'a test on an engine of another machine': () => ({
      engine: far.host,
      args: ['test'],
      open: async (name) =>
        cli.repository(name, {
          'gbuild.yml': `gbuild: 1
name: ${name}
toolchain: ${baseImage}
tasks:
  test: {run: "cat given; mkdir -p out; echo x >out/r.xml; echo made >made", reports: [out/*.xml]}
`,
          '.gitignore': 'out/\n',
          given: 'given\n',
        }),
    }),
  };

  /** One lock for all repositories of releases: a lock does not contain names. */
  let lock: Buffer | undefined;
  const makeLock = async (cwd: string, env: Record<string, string>) => {
    const { exitCode, stderr } = await cli.run(['lock'], { cwd, env: { ...env, DOCKER_HOST: outer } });
    expect(exitCode, stderr).toBe(0);
    return readFileSync(join(cwd, 'gbuild.lock'));
  };

  /**
   * Each repository has its own release store and temporary folder, because runs at the same time must not share them.
   */
  const ownFolders = (name: string) => {
    mkdirSync(temporaryOf(name), { recursive: true });
    return { GIVEN: 'a secret of the run', TMPDIR: temporaryOf(name), XDG_DATA_HOME: join(cli.dir, `data-${name}`) };
  };

  describe.concurrent.each(Object.entries(scenarios))('%s', { timeout: 3_600_000 }, (title, open) => {
    test('ends within two minutes, well or with exit code 3, and leaves nothing', async () => {
      const scenario = open();
      const slug = `${repository}-${title.replaceAll(/\W+/g, '-').slice(-12)}`;
      const kinds = await countRequests(cli, scenario, `${slug}-0`, ownFolders(`${slug}-0`));
      expect(kinds.length).toBeGreaterThan(15);
      const chosen = choose(kinds, scenario.engine);
      process.stderr.write(
        `${title}: ${kinds.length} requests of ${new Set(kinds).size} kinds, ${chosen.length} lies\n`,
      );
      const faults = await mapInOrder(chosen, atOnce, async (options, index) => {
        const name = `${slug}-${index + 1}`;
        const cwd = await scenario.open(name);
        const at = options.kind ?? `${options.at} ${kinds[options.at! - 1]}`;
        const found = await tell(scenario, name, cwd, options);
        if (found.length === 0) return [];
        const fault = `${options.lie as Lie} at ${at}: ${found.join('; ')}`;
        // The full product takes long: findings are printed as they come.
        process.stderr.write(`${fault}\n`);
        return [fault];
      });
      expect(faults.flat()).toEqual([]);
    });
  });

  /** Returns what is wrong after one lie. */
  async function tell(scenario: Scenario, name: string, cwd: string, options: LyingOptions): Promise<string[]> {
    const found: string[] = [];
    const env = ownFolders(name);
    await using line = await startLyingEngine(scenario.engine, options);
    const running = cli.start(scenario.args, { cwd, env: { ...env, ...hasty, DOCKER_HOST: line.host } });
    let isLate = false;
    const late = setTimeout(() => {
      isLate = true;
      running.kill('SIGKILL');
    }, mostMilliseconds);
    const { exitCode, stderr } = await running.ended;
    clearTimeout(late);
    told += 1;
    if (exitCode === 3) ended3 += 1;
    if (isLate) found.push('it did not end');
    else if (exitCode !== 0 && exitCode !== 3) found.push(`exit code ${exitCode}: ${stderr.slice(-600)}`);
    const left = await listLeft(scenario.engine, `io.gbuild.repository=${name}`, [running.pid]);
    if (left.containers.length > 0) found.push(`containers stayed: ${stderr.slice(-300)}`);
    if (left.stagingImages.length > 0) found.push(`images stayed: ${left.stagingImages}`);
    const networks = await listNetworks(scenario.engine, stderr);
    if (networks.length > 0) found.push(`networks stayed: ${networks}`);
    if (scenario.check !== undefined) {
      if (exitCode !== 0) {
        const again = await cli.run(scenario.args, { cwd, env: { ...env, DOCKER_HOST: scenario.engine } });
        if (again.exitCode !== 0) found.push(`done again it ends with ${again.exitCode}: ${again.stderr.slice(-600)}`);
      }
      await scenario.check(name).catch((thrown: unknown) => found.push(String(thrown)));
    }
    for (const file of readFolder(env.TMPDIR)) if (file !== compileCache) found.push(`${file} stayed in ${env.TMPDIR}`);
    for (const file of readFolder(join(cli.cacheDir, 'spool')))
      if (file.includes(`_${running.pid}_`)) found.push(`${file} stayed in the spool`);
    return found;
  }
}

/** Returns the kinds of requests in a run without faults, in their order. */
async function countRequests(
  cli: Cli,
  scenario: Scenario,
  name: string,
  env: Record<string, string>,
): Promise<string[]> {
  const cwd = await scenario.open(name);
  await using line = await startLyingEngine(scenario.engine);
  const { exitCode, stderr } = await cli.run(scenario.args, { cwd, env: { ...env, DOCKER_HOST: line.host } });
  expect(exitCode, stderr).toBe(0);
  await scenario.check?.(name);
  return line.requests.map(({ kind }) => kind);
}

/** Lists the networks of the run whose log is named there. */
async function listNetworks(host: string, stderr: string): Promise<string[]> {
  const run = /runs\/(\d{17}-[0-9a-f]{8})\//.exec(stderr)?.[1];
  if (run === undefined) return [];
  const filters = encodeURIComponent(JSON.stringify({ label: [`io.gbuild.run=${run}`] }));
  const { text } = await askEngine(host, 'GET', `/networks?filters=${filters}`);
  return (JSON.parse(text) as { Name: string }[]).map(({ Name }) => Name);
}

function readFolder(dir: string): string[] {
  try {
    return readdirSync(dir);
  } catch {
    return [];
  }
}
