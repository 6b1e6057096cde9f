import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { examineStore } from '../../../src/actions/maintenance/store/examine-store.ts';
import { storeAsItIs } from '../../../src/actions/store/store.ts';
import { mapInOrder } from '../../../src/registry/image/map-in-order.ts';
import { type CallOptions, type Cli, commitAll, copyInstallation } from '../cli/cli.ts';
import { hostIn } from '../toolchains/host-in.ts';
import { damages, listFiles } from './store-release.ts';

/** Command to run after a file was damaged; the last one's output is compared. */
type Step = 'plan' | 'test' | 'image' | 'push' | 'release';

/** Kind of file below the cache or the data folder: its paths, and the next command that reads it. */
interface Kind {
  path: RegExp;
  next: Step;
  /** Holder of a kind that some scenarios do not leave. */
  heldBy?: string;
}

/** Kinds of files that gbuild leaves. A file of an unlisted kind fails the suite. */
const kinds: Record<string, Kind> = {
  'parsed files': { path: /^cache\/parsed\/[0-9a-f]{64}\.json$/, next: 'plan' },
  'catalog clones': { path: /^cache\/catalogs\/[0-9a-f]{16}\//, next: 'plan' },
  'digests of clones': { path: /^cache\/catalogs\/[0-9a-f]{16}\.tree$/, next: 'plan' },
  'user tables': {
    path: /^cache\/user-tables\/\w+\.json$/,
    next: 'test',
    heldBy: 'test/actions/run/defaults/read-user-tables.test.ts',
  },
  'fixed files': { path: /^cache\/fixed-files\/\w+$/, next: 'test', heldBy: 'test/fs/ensure-file.test.ts' },
  'ways to the workspace': {
    path: /^cache\/workspace-ways\/\w+$/,
    next: 'test',
    heldBy: 'test/fs/cached-file.test.ts',
  },
  'looks at caches': { path: /^cache\/caches-seen\/\w+$/, next: 'test' },
  'sync memories': {
    path: /^cache\/workspaces\/[0-9a-f]{64}$/,
    next: 'test',
    heldBy: 'test/sync/state/sync-state.test.ts',
  },
  'stamps of memories': {
    path: /^cache\/workspaces\/[0-9a-f]{64}\.stamp$/,
    next: 'test',
    heldBy: 'test/sync/state/sync-state.test.ts',
  },
  'last memories': {
    path: /^cache\/workspaces\/\w+\.last$/,
    next: 'test',
    heldBy: 'test/sync/state/sync-state.test.ts',
  },
  'packed trees': { path: /^cache\/packed-trees\/\w+\.json$/, next: 'image' },
  'trees of bases': {
    path: /^cache\/base-trees\/\w+\.json$/,
    next: 'image',
    heldBy: 'test/actions/image/base/base-tree.test.ts',
  },
  'times of tasks': { path: /^cache\/task-times\/\w+\.json$/, next: 'image' },
  'ids of images': { path: /^cache\/image-ids\/\w+$/, next: 'test', heldBy: 'test/fs/cached-file.test.ts' },
  'notes on compressed layers': { path: /^cache\/compressed\/\w+$/, next: 'push' },
  "the caller's files": { path: /^cache\/host-files\/\w+$/, next: 'test', heldBy: 'test/fs/ensure-file.test.ts' },
  downloads: { path: /^cache\/downloads\/.+\.tgz$/, next: 'test', heldBy: 'test/toolchain/build/download.test.ts' },
  "the store's index": { path: /^data\/store\/index\.json$/, next: 'release' },
  "the index's copy": { path: /^data\/store\/index\.copy$/, next: 'release' },
  "the store's marker": { path: /^data\/store\/oci-layout$/, next: 'release' },
  "the store's blobs": { path: /^data\/store\/blobs\/sha256\/[0-9a-f]{64}$/, next: 'release' },
};

const ways: Record<string, (path: string) => void> = {
  ...damages,
  'of another version': (path) =>
    writeFileSync(path, readFileSync(path, 'utf8').replace(/^gbuild-(cache|mirror)(.*?)(\d+)/, 'gbuild-$1$20')),
};

export interface HealSubject extends AsyncDisposable {
  cli: Cli;
  /** Address as `HOST:PORT`. */
  registry: string;
  name: string;
  /** Number of commands that may use its engine at the same time, each with separate folders; 1 when left out. */
  atOnce?: number;
}

/** Runs one of each command, then damages each kind of file that it left, in the ways that `isWanted` chooses. */
export function describeHealing(
  title: string,
  open: () => Promise<HealSubject>,
  isWanted: (kind: number, way: number, file: number) => boolean,
): void {
  describe(title, () => {
    let subject: HealSubject;
    let cwd: string;
    let left: string[] = [];
    const counts = { damaged: 0, healed: 0, refused: 0 };
    const faults = new Map<string, string[]>();
    const steps: Record<Step, () => string[]> = {
      plan: () => ['plan'],
      test: () => ['test'],
      image: () => ['image', '--json'],
      push: () => ['push', `${subject.name}:1.0.0`, '--registry', subject.registry],
      release: () => ['image', '--release', '1.0.0'],
    };
    const run = (args: string[], options: CallOptions = {}) => subject.cli.run(args, { cwd, ...options });
    const kept = () => join(subject.cli.dir, 'kept');
    const tops = ['cache', 'data'];

    beforeAll(async () => {
      subject = await open();
      const { cli, name } = subject;
      const data = readFileSync(new URL('../../../images/node/toolchain.yml', import.meta.url), 'utf8');
      const origin = cli.repository('origin', { 'node/toolchain.yml': data, 'README.md': 'Toolchains\n' });
      const body = [
        `catalogs: ['file://${origin}']`,
        'caches: [{name: kept, path: /cache/kept}]',
        'tasks: {test: cat a}',
        'image: {entrypoint: [cat], layers: [{name: app, from: [a], to: /srv}]}',
      ];
      cwd = cli.tasks(name, `${body.join('\n')}\n`, { a: 'one\n', '.gitignore': 'ignored\n' });
      const must = async (args: string[]) => {
        const { exitCode, stdout, stderr } = await run(args);
        expect([args, exitCode], `${stdout}${stderr}`).toEqual([args, 0]);
      };
      await must(['test']);
      commitAll(cwd, 'locked');
      await must(steps.release());
      await must(steps.push());
      writeFileSync(join(cwd, 'a'), 'two\n');
      await must(steps.image());
      writeFileSync(join(cwd, 'a'), 'one\n');
      await must(['test']);
      for (const top of tops) copyTo(join(cli.dir, top), join(kept(), top));
      left = tops.flatMap((top) => listFiles(join(kept(), top, 'gbuild')).map((path) => `${top}/${path}`));
      const cases = Object.entries(kinds).flatMap(([kind, { path, next }], number) =>
        Object.entries(ways).flatMap(([way, damage], index) => {
          const files = left.filter((each) => path.test(each));
          const chosen = (kind === "the store's blobs" ? files : files.slice(0, 1)).filter((_, each) =>
            isWanted(number, index, each),
          );
          return chosen.map((file) => ({ kind, file, way, damage, next }));
        }),
      );
      // The cases share the workspace: images use another content, and run one after the other, because they get the
      // same name.
      for (const isImage of [false, true]) {
        writeFileSync(join(cwd, 'a'), isImage ? 'three\n' : 'one\n');
        const now = cases.filter(({ next }) => (next === 'image') === isImage);
        await mapInOrder(now, isImage ? 1 : (subject.atOnce ?? 1), async ({ kind, file, way, damage, next }) => {
          await using place = makePlace();
          damage(place.at(file));
          const fault = await findFault(() => expectHealed(`${file} ${way}`, next, place.env));
          if (fault !== undefined) faults.set(kind, [...(faults.get(kind) ?? []), fault]);
        });
      }
      writeFileSync(join(cwd, 'a'), 'one\n');
    });
    afterAll(async () => {
      console.log(
        `${title}: ${left.length} files, ${counts.damaged} damaged, ${counts.healed} healed, ${counts.refused} refused`,
      );
      await subject[Symbol.asyncDispose]();
    });

    test('every kind of file that a run leaves is listed here', () => {
      const unknown = left.filter((path) => !Object.values(kinds).some((kind) => kind.path.test(path)));
      expect(unknown).toEqual([]);
      expect(left.length).toBeGreaterThan(15);
    });

    test.each(Object.entries(kinds))('%s heal, or are refused with what to type', (kind, { path, heldBy }) => {
      if (!left.some((each) => path.test(each)))
        expect(existsSync(heldBy ?? ''), `${kind}: no run left one`).toBe(true);
      expect(faults.get(kind) ?? []).toEqual([]);
    });

    /** Copies the files that the runs left; commands with `env` use the copy. */
    function makePlace() {
      const dir = mkdtempSync(join(subject.cli.dir, 'place-'));
      for (const top of tops) copyTo(join(kept(), top), join(dir, top));
      return {
        dir,
        env: { XDG_CACHE_HOME: join(dir, 'cache'), XDG_DATA_HOME: join(dir, 'data') },
        at: (path: string) => join(dir, path.replace(/^(cache|data)/, '$1/gbuild')),
        [Symbol.asyncDispose]: async () => rmSync(dir, { recursive: true, force: true }),
      };
    }

    /**
     * Asserts that the command gives the same result as with intact files. Only the store may refuse, and doctor then
     * repairs it.
     */
    async function expectHealed(what: string, next: Step, env: Record<string, string>): Promise<void> {
      counts.damaged += 1;
      const { exitCode, stdout, stderr } = await run(steps[next](), { env });
      const isStore = next === 'release';
      const mayBe = isStore ? [0, 3] : [0];
      expect(mayBe, `${what}: exit code ${exitCode}\n${stdout}${stderr}`).toContain(exitCode);
      if (exitCode !== 0) expect(stderr, what).toContain('try: gbuild doctor --fix');
      if (next === 'test') expect([what, stdout]).toEqual([what, 'one\n']);
      if (isStore) {
        const fixed = await run(['doctor', '--fix'], { env });
        expect([what, fixed.exitCode], `${fixed.stdout}${fixed.stderr}`).toEqual([what, 0]);
        const store = storeAsItIs({ ...hostIn(subject.cli.dir), dataDir: join(env.XDG_DATA_HOME!, 'gbuild') });
        expect([what, await examineStore(store)]).toMatchObject([what, { index: 'whole', faults: [] }]);
      }
      counts[exitCode === 0 ? 'healed' : 'refused'] += 1;
    }

    test('a release of which a layer is damaged is not released already, but written again', async () => {
      await using place = makePlace();
      const { env } = place;
      const release = async () => {
        const { exitCode, stdout, stderr } = await run([...steps.release(), '--json'], { env });
        expect(exitCode, stderr).toBe(0);
        return JSON.parse(stdout) as { alreadyReleased: boolean; layers: { diffId: string }[] };
      };
      const { alreadyReleased, layers } = await release();
      expect(alreadyReleased).toBe(true);
      damages['one bit flipped']!(place.at(`data/store/blobs/sha256/${layers.at(-1)!.diffId.slice('sha256:'.length)}`));
      expect([(await release()).alreadyReleased, (await release()).alreadyReleased]).toEqual([false, true]);
      expect((await run(['doctor', 'store'], { env })).exitCode).toBe(0);
    });

    test('a file that the caller may not read is made again, and in the store it is refused', async () => {
      const user = { uid: 4242, gid: 4242 };
      const as = { ...user, groups: [user.gid], installed: copyInstallation(join(subject.cli.dir, 'installed')) };
      for (const kind of ['parsed files', 'catalog clones', 'digests of clones', "the store's index"]) {
        await using mine = makePlace();
        execFileSync('chown', ['-R', `${user.uid}:${user.gid}`, mine.dir, join(subject.cli.dir, 'origin')]);
        const file = left.find((path) => kinds[kind]!.path.test(path))!;
        const damaged = mine.at(file);
        chownSync(damaged, 0, 0);
        chmodSync(damaged, 0o600);
        const isStore = file.startsWith('data/');
        const { exitCode, stderr } = await run(isStore ? steps.push() : steps.plan(), { env: mine.env, as });
        expect([kind, exitCode], stderr).toEqual([kind, isStore ? 3 : 0]);
        if (isStore) expect(stderr).toContain('try: sudo chown -R "$(id -u)" ');
        counts.damaged += 1;
        counts[isStore ? 'refused' : 'healed'] += 1;
      }
    });
  });
}

function copyTo(from: string, to: string): void {
  cpSync(from, to, { recursive: true, verbatimSymlinks: true });
}

async function findFault(work: () => Promise<void>): Promise<string | undefined> {
  return await work().then(
    () => undefined,
    (thrown: unknown) => String(thrown),
  );
}
