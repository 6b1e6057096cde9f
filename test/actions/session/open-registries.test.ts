import { createFixture } from 'fs-fixture';
import { expect, test } from 'vitest';
import { withRegistries } from '../../../src/actions/session/open-registries.ts';
import { readUserConfig } from '../../../src/actions/session/user-config.ts';
import { silentProgress } from '../../../src/reporter/progress.ts';
import { errorOf } from '../../support/assert/error-of.ts';
import { startSpecRegistry } from '../../support/registry/spec-registry.ts';

const never = { ask: new AbortController().signal, kill: new AbortController().signal };

function hostIn(dir: string, env: Record<string, string> = {}) {
  const host = { env, cwd: dir, platform: 'linux', arch: 'x64', hostname: 'h', uid: 0, gid: 0, userName: 'u' } as const;
  const dirs = { homeDir: dir, cacheDir: dir, configDir: dir, dataDir: dir, stateDir: dir };
  return { ...host, ...dirs, startedAt: 0, isCI: false, isTerminal: false };
}

test('requests to registries are traced where DEBUG asks for it', async () => {
  await using registry = await startSpecRegistry();
  await using dir = await createFixture({});
  const listTags = async (env: Record<string, string>) => {
    const notes: string[] = [];
    const progress = { ...silentProgress, note: (text: string) => void notes.push(text) };
    await withRegistries({ host: hostIn(dir.path, env), stop: never, progress }, (registries) =>
      registries.repository({ registry: registry.host, path: 'a' }).listTags(),
    );
    return notes.map((note) => note.replace(registry.host, '<registry>').replace(/\d+ ms$/, '<time>'));
  };
  expect(await listTags({ DEBUG: 'gbuild:engine' })).toEqual([]);
  const last = 'gbuild:registry GET http://<registry>/v2/a/tags/list 404 <time>';
  for (const DEBUG of ['gbuild:*', 'x,gbuild:registry']) expect((await listTags({ DEBUG })).at(-1)).toBe(last);
});

test('config.yml says which registries may be asked without TLS', async () => {
  await using dir = await createFixture({
    'config.yml': 'config: 1\nregistries:\n  r.test:5000:\n    insecure: true\n  s.test: {}\n',
  });
  expect((await readUserConfig(hostIn(dir.path))).registries).toEqual({
    'r.test:5000': { insecure: true },
    's.test': { insecure: false },
  });
});

test('a mistake in it is told with its place', async () => {
  await using dir = await createFixture({
    'config.yml': 'config: 1\nregistries:\n  http://r.test: { insecure: yes please }\n  s.test: { unsafe: true }\n',
  });
  const { message } = await errorOf(() =>
    withRegistries({ host: hostIn(dir.path), stop: never, progress: silentProgress }, async () => undefined),
  );
  expect(message.replaceAll(dir.path, '<dir>')).toMatchInlineSnapshot(`
    "2 mistakes in <dir>/config.yml

      <dir>/config.yml:3:3  registries["http://r.test"]: expected HOST or HOST:PORT, found "http://r.test"
          2 | registries:
        > 3 |   http://r.test: { insecure: yes please }
            |   ^^^^^^^^^^^^^
        leave out http://

      <dir>/config.yml:4:13  registries["s.test"].unsafe: expected a known key, found "unsafe"
          3 |   http://r.test: { insecure: yes please }
        > 4 |   s.test: { unsafe: true }
            |             ^^^^^^
        known are insecure"
  `);
});
