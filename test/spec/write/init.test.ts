import { expect, test } from 'vitest';
import { parseSpec } from '../../../src/spec/read/read-spec.ts';
import { specSchema } from '../../../src/spec/schema/schema.ts';
import type { SpecDraft } from '../../../src/spec/write/draft.ts';
import { parseDraft, writeInitialSpec } from '../../../src/spec/write/init.ts';
import { sections } from '../../../src/spec/write/sections.ts';

const draft: SpecDraft = {
  name: 'hello',
  toolchain: 'node@^22',
  tasks: { build: 'npm run build', test: { run: 'npm test', needs: ['build'] } },
  image: { expose: [8080], entrypoint: ['node', 'dist/server.js'] },
  assumptions: [
    { key: 'name', because: '"name" of package.json' },
    { key: 'toolchain', because: '"engines" of\n package.json' },
    { key: 'tasks.test', because: 'the script "test" of package.json' },
    { key: 'image.expose', because: 'a guess' },
    { key: 'image.nothing.there', because: 'goes to the nearest key' },
  ],
};

test('the first spec explains each key and says what was assumed', () => {
  expect(writeInitialSpec(draft)).toMatchInlineSnapshot(`
    "# How gbuild builds, tests and releases this repository.
    # Keys that are commented out show what could be said, not what is.

    # The version of this format.
    gbuild: 1

    # The repository of the image: name:1.0.1 is what "gbuild image --release 1.0.1" makes.
    # assumed: "name" of package.json
    name: hello

    # Where the image is pushed to: HOST or HOST:PORT.
    # registry: registry.example.com

    # The versioned container to build in. gbuild.lock keeps the exact version the range was resolved to.
    # An image reference, or a folder with a Dockerfile such as ./build-image, will do too.
    # assumed: "engines" of package.json
    toolchain: node@^22

    # Toolchains of your own, asked before gbuild's: folders of the repository, or git addresses.
    # catalogs:
    #   - ./toolchains
    #   - https://git.example.com/toolchains.git#v1

    # Variables of every task. Quote numbers.
    # env:
    #   LOG_LEVEL: info

    # Variables of yours that tasks may see: names or globs. Nothing else of your environment gets in.
    # passEnv:
    #   - CI
    #   - AWS_*

    # Passwords, tokens and keys, and where each comes from: env, file or command. A task that lists one gets it as a
    # file, and a release in which it is found is refused.
    # secrets:
    #   REGISTRY_TOKEN:
    #     env: REGISTRY_TOKEN

    # Folders kept between runs. "auto" is what the toolchain knows to keep.
    # caches:
    #   - name: downloads
    #     path: /cache/downloads

    # Limits of each task.
    # resources:
    #   cpus: 2
    #   memory: 2g
    #   pids: 4096

    # bridge, none or host.
    # network: bridge

    # An engine that does not see this folder gets a copy of all that git does not ignore. Ignored files that tasks
    # need there are named here.
    # sync:
    #   include:
    #     - .env.test
    #     - vendor/**

    # Services, such as a database, that run while tasks that list them do; these reach them by name.
    # services:
    #   db:
    #     image: postgres:17
    #     env:
    #       POSTGRES_PASSWORD: test
    #     ready:
    #       cmd:
    #         - pg_isready

    # Tasks. "gbuild run NAME" runs one; "gbuild build" and "gbuild test" run those two.
    # A command, or a mapping with run, needs, env, secrets, ports, services, timeout, reports, split and workdir.
    tasks:
      build: npm run build
      # assumed: the script "test" of package.json
      test:
        run: npm test
        needs:
          - build

    # The image. By default: the runtime image of the toolchain, the layers the toolchain knows to make, and a
    # numeric user without rights. The task "build" runs first, when there is one.
    # assumed: goes to the nearest key
    image:
      # assumed: a guess
      expose:
        - 8080
      entrypoint:
        - node
        - dist/server.js

    # How releases are handed over: what deployers must know of the service, the channels that point at a release,
    # and the targets that take one.
    # deliver:
    #   service:
    #     port: 8080
    #     health: /health
    #     memory: 512m
    #   channels:
    #     canary: {}
    #     production:
    #       after: canary
    #       soak: 1h
    #   targets:
    #     web: compose
    "
  `);
});

test('it reads back as it was meant, without mistake or warning', () => {
  const { spec, warnings } = parseSpec(writeInitialSpec(draft));
  expect({ warnings, spec }).toMatchObject({
    warnings: [],
    spec: {
      name: 'hello',
      tasks: { test: { run: 'npm test', needs: ['build'] } },
      image: { expose: ['8080/tcp'] },
    },
  });
  expect(parseDraft(draft, 'assumed').spec).toEqual(spec);
});

test('what it shows in comments is right as well', () => {
  const text = writeInitialSpec({ name: 'hello', toolchain: 'node', assumptions: [] });
  const uncommented = text.replace(/^# (?=(?:\w+:| {2}|- ))/gm, '');
  const { spec, warnings } = parseSpec(uncommented);
  expect(warnings).toEqual([]);
  expect(spec).toMatchObject({
    registry: 'registry.example.com',
    passEnv: ['CI', 'AWS_*'],
    network: 'bridge',
    resources: { cpus: 2 },
  });
  expect(spec.image.health?.interval).toBe(30);
});

test('it knows every key there is', () => {
  expect(sections.map((section) => section.key)).toEqual(Object.keys(specSchema.shape));
});

test('odd texts survive: what looks like a number, quotes, newlines, comments', () => {
  const tasks = { test: 'echo "1.10" # not a comment', odd: "printf '%s\\n' \"it's\"\necho: two\n" };
  const { spec } = parseDraft({ ...draft, env: { V: '1.10', T: 'true', E: '', H: '# x', A: '*a' }, tasks }, 'assumed');
  expect(spec.env).toEqual({ V: '1.10', T: 'true', E: '', H: '# x', A: '*a' });
  expect(spec.tasks.test?.run).toBe(tasks.test);
  expect(spec.tasks.odd?.run).toBe(tasks.odd);
});

test('an assumption cannot break out of its comment', () => {
  const text = writeInitialSpec({ ...draft, assumptions: [{ key: 'name', because: 'x\nname: evil\r\n\u2028y' }] });
  expect(parseSpec(text).spec.name).toBe('hello');
});
