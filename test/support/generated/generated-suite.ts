import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, expect, inject, test } from 'vitest';
import { commitAll, openCli } from '../cli/cli.ts';
import { removeRepository, runImage } from '../engines/engine-images.ts';

/** Random repository: its commit, the leftovers on a laptop, and the command that starts it. */
export interface GeneratedRepository {
  title: string;
  layout: object;
  toolchain: string;
  files: Record<string, string>;
  /** Files that git ignores and that no task made. */
  left: Record<string, string>;
  /** Command to run by hand after the build; prints one line of JSON. */
  command: string;
  /** Task that writes the lock file. */
  relock?: string;
  /** Additional lines of `tasks` in gbuild.yml. */
  tasks?: string;
  /** Tasks that must run before the command; defaults to `build`. */
  needs?: string[];
}

/** Release that gbuild refuses. */
interface Refusal {
  refused: string;
}

/**
 * Releases random repositories and starts them. Each gives the same answer as the same command by hand in a clean
 * checkout, or gbuild refuses it. GBUILD_TEST_SEED draws others.
 */
export function describeGenerated(count: number, draw: (count: number, seed: number) => GeneratedRepository[]): void {
  const engine = inject('engineHost');
  const cli = openCli({ engine });
  const seed = Number(process.env.GBUILD_TEST_SEED ?? 20_261_130);
  const nameOf = (at: number) => `e2e-drawn-${process.pid}-${at}`;
  const repositories = draw(count, seed);
  let refused = 0;
  afterAll(async () => {
    process.stderr.write(`generated repositories: ${count} of seed ${seed}, ${refused} refused\n`);
    for (const at of repositories.keys()) await removeRepository(engine, nameOf(at));
    cli[Symbol.dispose]();
  });

  test.each(repositories.map((repository, at) => ({ at, ...repository })))(
    'repository $at of a seed: $title',
    async ({ at, ...repository }) => {
      const name = nameOf(at);
      const rootDir = await makeCommit(name, repository);
      const byHand = await runByHand(name, rootDir);
      leave(rootDir, repository.left);
      const released = await release(name, rootDir);
      const shown = `seed ${seed}, repository ${at}: ${JSON.stringify(repository.layout)}`;
      if (typeof released === 'string') expect(JSON.parse(released), shown).toEqual(JSON.parse(byHand));
      else {
        refused += 1;
        expect(released.refused, shown).toMatch(/\n {2}try: /);
      }
    },
  );

  test('most of them are released', () => expect(refused).toBeLessThan(Math.max(2, count / 3)));

  async function makeCommit(
    name: string,
    { toolchain, files, command, relock, tasks = '', needs = ['build'] }: GeneratedRepository,
  ): Promise<string> {
    const spec = `gbuild: 1\nname: ${name}\ntoolchain: ${toolchain}\ntasks:\n${tasks}  relock: ${JSON.stringify(relock ?? 'true')}\n  hand: {run: ${JSON.stringify(command)}, needs: [${needs.join()}]}\n`;
    const rootDir = cli.repository(name, { 'gbuild.yml': spec, ...files });
    const { exitCode, stderr } = await cli.run(['run', 'relock'], { cwd: rootDir });
    expect(exitCode, stderr).toBe(0);
    commitAll(rootDir, 'locked');
    return rootDir;
  }

  async function runByHand(name: string, rootDir: string): Promise<string> {
    const clone = join(cli.dir, `${name}-clone`);
    execFileSync('git', ['clone', '-q', rootDir, clone]);
    const { exitCode, stdout, stderr } = await cli.run(['run', 'hand'], { cwd: clone });
    expect(exitCode, stderr).toBe(0);
    return stdout.trim().split('\n').at(-1)!;
  }

  async function release(name: string, cwd: string): Promise<string | Refusal> {
    const { exitCode, stderr } = await cli.run(['image', '--release', '1.0.0'], { cwd });
    if (exitCode === 2) return { refused: stderr };
    expect(exitCode, stderr).toBe(0);
    return (await runImage(engine, `${name}:1.0.0`)).trim();
  }
}

function leave(rootDir: string, left: Record<string, string>): void {
  for (const [path, text] of Object.entries(left)) {
    mkdirSync(dirname(join(rootDir, path)), { recursive: true });
    writeFileSync(join(rootDir, path), text);
  }
}
