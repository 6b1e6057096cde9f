import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createFixture } from 'fs-fixture';
import { expect, test } from 'vitest';
import { RunSecrets } from '../../../src/actions/run/run-secrets.ts';
import type { WorkspaceSession } from '../../../src/actions/session/context.ts';
import { readSecret } from '../../../src/secrets/read-secret.ts';
import { parseSpec } from '../../../src/spec/read/read-spec.ts';
import { errorOf } from '../../support/assert/error-of.ts';
import { hostIn, recordProgress } from '../../support/toolchains/host-in.ts';

const spec = `gbuild: 1
name: demo
toolchain: node
secrets:
  printed: {command: [sh, -c, 'echo printed-value; touch ../ran']}
  KEY: {file: ~/key}
  own: {file: own}
  VARIABLE: {env: VARIABLE}
`;

async function makeRepository() {
  const fixture = await createFixture({ 'repo/gbuild.yml': spec, 'repo/own': 'own-value', key: 'key-value' });
  const rootDir = join(fixture.path, 'repo');
  const specFile = join(rootDir, 'gbuild.yml');
  const progress = recordProgress();
  /** What a run of its own fetches; asked at a terminal where there is an answer. */
  const fetch = async (names: string[], env: Record<string, string> = {}, answer?: string, ownerDir?: string) => {
    const host = hostIn(fixture.path, { VARIABLE: 'variable-value', ...env });
    const choose = async (question: string) => {
      progress.notes.push(question);
      return answer!;
    };
    const session = { rootDir, specFile, spec: parseSpec(readFileSync(specFile)).spec } as WorkspaceSession;
    const asking = answer === undefined ? progress : { ...progress, choose };
    const secrets = new RunSecrets({ session, host, progress: asking, ...(ownerDir && { ownerDir }) });
    await secrets.fetch(names, new AbortController().signal);
    return secrets.given.map(({ value }) => value.toString());
  };
  const plain = (text: string) => text.replaceAll(fixture.path, '<dir>/').replaceAll('//', '/');
  return {
    [Symbol.asyncDispose]: () => fixture.rm(),
    path: (name: string) => join(fixture.path, name),
    fetch,
    said: () => progress.notes.splice(0).map(plain),
    refusal: async (...args: Parameters<typeof fetch>) => {
      const { code, message, suggestions } = await errorOf(() => fetch(...args));
      return { code, message: plain(message), suggestions };
    },
    hasRun: () => existsSync(join(fixture.path, 'ran')),
  };
}

test('a command and a file of this machine are refused where nobody can be asked, and nothing runs', async () => {
  await using made = await makeRepository();
  expect(await made.refusal(['VARIABLE', 'printed'])).toMatchInlineSnapshot(`
    {
      "code": "trust-missing",
      "message": "<dir>/repo/gbuild.yml:5:12  secret printed: the repository wants to run on this machine the command "sh -c 'echo printed-value; touch ../ran'"; nobody has trusted it to do so",
      "suggestions": [
        "gbuild trust   # shows what gbuild.yml runs and reads on this machine, and asks",
        "export GBUILD_TRUST=sha256:710b779a7d24a303da6d940760fac61eb26e32a9778c35d9013da15da639a937   # in a CI: set by its owner, not by the repository",
      ],
    }
  `);
  expect((await made.refusal(['KEY'])).message).toMatchInlineSnapshot(
    `"<dir>/repo/gbuild.yml:6:8  secret KEY: the repository wants to read on this machine the file ~/key; nobody has trusted it to do so"`,
  );
  expect(made.hasRun()).toBe(false);
});

test('what a run needs none of is not asked for', async () => {
  await using made = await makeRepository();
  expect(await made.fetch(['VARIABLE', 'own'])).toEqual(['variable-value', 'own-value']);
  expect(made.said()).toEqual([]);
});

test('at a terminal the caller sees what is run and read, agrees once, and is asked again when it changes', async () => {
  await using made = await makeRepository();
  expect((await made.refusal(['printed'], {}, 'no')).code).toBe('trust-missing');
  expect(made.hasRun()).toBe(false);
  expect(made.said()).toMatchInlineSnapshot(`
    [
      "gbuild.yml in <dir>/repo takes secrets from this machine:",
      "  gbuild.yml:6  secret KEY: the file ~/key",
      "  gbuild.yml:5  secret printed: the command "sh -c 'echo printed-value; touch ../ran'"",
      "Trust this repository to run and read these on this machine?",
    ]
  `);
  expect(await made.fetch(['printed', 'KEY'], {}, 'yes')).toEqual(['printed-value', 'key-value']);
  made.said();
  expect(await made.fetch(['printed', 'KEY'])).toEqual(['printed-value', 'key-value']);
  expect(made.said()).toEqual([]);
  writeFileSync(made.path('repo/gbuild.yml'), spec.replace('~/key', '~/.ssh/id'));
  const { code, message } = await made.refusal(['printed']);
  expect([code, message]).toEqual(['trust-missing', expect.stringContaining('is not what was trusted before')]);
});

test('GBUILD_TRUST holds for what it lists alone, and for nothing when it is no digest', async () => {
  await using made = await makeRepository();
  const { suggestions } = await made.refusal(['printed']);
  const digest = /sha256:\w+/.exec(suggestions[1]!)![0];
  expect(await made.fetch(['printed'], { GBUILD_TRUST: `sha256:${'0'.repeat(64)}, ${digest}` })).toEqual([
    'printed-value',
  ]);
  expect((await made.refusal(['printed'], { GBUILD_TRUST: digest.replace(/.$/, 'x') })).code).toBe('usage');
  expect(await made.refusal(['printed'], { GBUILD_TRUST: '1' })).toMatchInlineSnapshot(`
    {
      "code": "usage",
      "message": "GBUILD_TRUST lists digests of what is trusted, and "1" is not one",
      "suggestions": [
        "gbuild trust --json   # prints the digest",
      ],
    }
  `);
  writeFileSync(made.path('repo/gbuild.yml'), spec.replace('touch', 'rm -rf'));
  expect((await made.refusal(['printed'], { GBUILD_TRUST: digest })).code).toBe('trust-missing');
});

test('a file of the repository that is a link out of it is one of this machine', async () => {
  await using made = await makeRepository();
  rmSync(made.path('repo/own'));
  symlinkSync('../key', made.path('repo/own'));
  expect((await made.refusal(['own'])).message).toMatchInlineSnapshot(
    `"<dir>/repo/gbuild.yml:7:8  secret own: the repository wants to read on this machine the file own, which leads to <dir>/key; nobody has trusted it to do so"`,
  );
  expect(await made.fetch(['own'], {}, 'yes')).toEqual(['key-value']);
});

test('a checkout of a commit is trusted as its repository is, and an answer about it is not kept', async () => {
  await using made = await makeRepository();
  const owner = made.path('owner');
  mkdirSync(owner);
  const { suggestions } = await made.refusal(['KEY'], {}, undefined, owner);
  expect(suggestions).toEqual([expect.stringMatching(/^export GBUILD_TRUST=sha256:/)]);
  expect(await made.fetch(['KEY'], {}, 'yes', owner)).toEqual(['key-value']);
  expect((await made.refusal(['KEY'], {}, undefined, owner)).code).toBe('trust-missing');
  await made.fetch(['KEY'], {}, 'yes');
  const config = readFileSync(made.path('config.yml'), 'utf8');
  writeFileSync(made.path('config.yml'), config.replace('/repo:', '/owner:'));
  expect(await made.fetch(['KEY'], {}, undefined, owner)).toEqual(['key-value']);
});

test('consent to one secret is none to a file of the repository that is turned elsewhere meanwhile', async () => {
  await using made = await makeRepository();
  const context = { host: hostIn(made.path('')), rootDir: made.path('repo'), signal: new AbortController().signal };
  const read = (hasConsent: boolean) => readSecret('own', { file: 'own' }, { ...context, hasConsent });
  expect((await read(false)).value.toString()).toBe('own-value');
  rmSync(made.path('repo/own'));
  symlinkSync('../key', made.path('repo/own'));
  expect((await errorOf(() => read(false))).message).toMatch(/own was replaced while it was read$/);
  expect((await read(true)).value.toString()).toBe('key-value');
});

test('a pipe or a device in the place of a file is not waited for', async () => {
  await using made = await makeRepository();
  rmSync(made.path('repo/own'));
  execFileSync('mkfifo', [made.path('repo/own')]);
  const { code, message } = await made.refusal(['own']);
  expect([code, message]).toEqual([
    'secret-invalid',
    expect.stringContaining('repo/own cannot be read (a named pipe, not a file)'),
  ]);
  writeFileSync(made.path('repo/gbuild.yml'), spec.replace('file: own', 'file: /dev/zero'));
  expect((await errorOf(() => made.fetch(['own'], {}, 'yes'))).message).toContain(
    '/dev/zero cannot be read (a device, not a file)',
  );
});

test('another folder of the same content is not trusted with it', async () => {
  await using made = await makeRepository();
  await made.fetch(['KEY'], {}, 'yes');
  const config = readFileSync(made.path('config.yml'), 'utf8');
  writeFileSync(made.path('config.yml'), config.replace('/repo:', '/elsewhere:'));
  expect((await made.refusal(['KEY'])).code).toBe('trust-missing');
});
