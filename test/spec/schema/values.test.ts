import { expect, test } from 'vitest';
import { parseSpec } from '../../../src/spec/read/read-spec.ts';
import { mistakesOf, specWith } from '../mistakes-of.ts';

test('text is text: numbers, true and nothing are to be quoted, and the message says what would be lost', () => {
  expect(
    mistakesOf(
      specWith('env:\n  A: 1.10\n  B: true\n  C:\n  D: 0x1F\n  E: [x]\n  F: 1e3\n  G: 12345678901234567890\n'),
    ),
  ).toMatchInlineSnapshot(`
    [
      "5:6 env.A: expected text, found the number 1.10 (put it in quotes: "1.10" (YAML reads it as 1.1))",
      "6:6 env.B: expected text, found true (put it in quotes: "true")",
      "7:3 env.C: expected text, found nothing (write "" for an empty text)",
      "8:6 env.D: expected text, found the number 0x1F (put it in quotes: "0x1F" (YAML reads it as 31))",
      "9:6 env.E: expected text, found a list of 1",
      "10:6 env.F: expected text, found the number 1e3 (put it in quotes: "1e3" (YAML reads it as 1000))",
      "11:6 env.G: expected text, found the number 12345678901234567890 (put it in quotes: "12345678901234567890" (YAML reads it as 12345678901234567000))",
    ]
  `);
});

test('names of variables are names', () => {
  expect(mistakesOf(specWith('env:\n  1A: x\n  "A B": x\n  A-B: x\n  "": x\n'))).toMatchInlineSnapshot(`
    [
      "5:3 env.1A: expected the name of a variable: letters, digits and _, not starting with a digit, found "1A"",
      "6:3 env["A B"]: expected the name of a variable: letters, digits and _, not starting with a digit, found "A B"",
      "7:3 env.A-B: expected the name of a variable: letters, digits and _, not starting with a digit, found "A-B"",
      "8:3 env[""]: expected the name of a variable: letters, digits and _, not starting with a digit, found """,
    ]
  `);
});

test('passEnv never lets everything in', () => {
  expect(mistakesOf(specWith("passEnv: ['*', '**', '?*', A=b, '']\n"))).toMatchInlineSnapshot(`
    [
      "4:11 passEnv[0]: expected names or globs such as AWS_*, found "*" (everything at once would carry secrets and this machine into the build: list what the tasks need)",
      "4:16 passEnv[1]: expected names or globs such as AWS_*, found "**" (everything at once would carry secrets and this machine into the build: list what the tasks need)",
      "4:22 passEnv[2]: expected names or globs such as AWS_*, found "?*" (everything at once would carry secrets and this machine into the build: list what the tasks need)",
      "4:28 passEnv[3]: expected names or globs such as AWS_*, found "A=b" (passEnv lists names only; a literal value belongs under env)",
      "4:33 passEnv[4]: expected text that is not empty, found an empty text",
    ]
  `);
  expect(mistakesOf(specWith('passEnv: AWS_*\n'))).toMatchInlineSnapshot(`
    [
      "4:10 passEnv: expected a list, found "AWS_*" (write it as a list: ["AWS_*"])",
    ]
  `);
});

test('the name is a repository without registry', () => {
  const name = (text: string) => mistakesOf(`gbuild: 1\nname: ${text}\ntoolchain: node\n`);
  expect(['Hello', 'a//b', 'hello:1.0', 'ghcr.io/acme/x', '12', '"-"'].flatMap(name)).toMatchInlineSnapshot(`
    [
      "2:7 name: expected the repository of an image: lower-case letters and digits, separated by . _ - or /, found "Hello" (did you mean hello?)",
      "2:7 name: expected the repository of an image: lower-case letters and digits, separated by . _ - or /, found "a//b"",
      "2:7 name: expected the repository of an image: lower-case letters and digits, separated by . _ - or /, found "hello:1.0" (did you mean hello-1.0?)",
      "2:7 name: expected a repository without registry, found "ghcr.io/acme/x" (put ghcr.io under the key registry)",
      "2:7 name: expected text, found the number 12 (put it in quotes: "12")",
      "2:7 name: expected the repository of an image: lower-case letters and digits, separated by . _ - or /, found "-"",
    ]
  `);
});

test('the registry is a host', () => {
  const registry = (text: string) => mistakesOf(specWith(`registry: ${text}\n`));
  expect(['https://ghcr.io', 'ghcr.io/acme', 'a b', 'host:port'].flatMap(registry)).toMatchInlineSnapshot(`
    [
      "4:11 registry: expected HOST or HOST:PORT, found "https://ghcr.io" (leave out https://)",
      "4:11 registry: expected HOST or HOST:PORT, found "ghcr.io/acme" (what follows the / belongs in front of name)",
      "4:11 registry: expected HOST or HOST:PORT, found "a b"",
      "4:11 registry: expected HOST or HOST:PORT, found "host:port"",
    ]
  `);
});

test('a toolchain is a name with a range, an image or a folder', () => {
  const toolchain = (text: string) => mistakesOf(`gbuild: 1\nname: hello\ntoolchain: ${text}\n`);
  const wrong = [
    'Node',
    'node@',
    'node@latest',
    'jruby@9.4.15.0.1',
    'acme/Node',
    '../x',
    '/x',
    '22',
    '[]',
    '{}',
    '{image: A}',
    '{folder: ../x}',
  ];
  wrong.push('{name: node, version: 22.10}', '{name: node, version: lts}', '{image: a, tag: b}', '{name: node, x: {}}');
  expect(wrong.flatMap(toolchain)).toMatchInlineSnapshot(`
    [
      "3:12 toolchain: expected a toolchain such as node@^22, an image reference, or a folder such as ./build-image, found "Node"",
      "3:12 toolchain: expected a version or a range of versions after node@, found "node@" (for instance node@^22, node@22.x or node@22.1.0)",
      "3:12 toolchain: expected a version or a range of versions after node@, found "node@latest" (for instance node@^22, node@22.x or node@22.1.0)",
      "3:12 toolchain: expected a version or a range of versions after jruby@, found "jruby@9.4.15.0.1" (for instance jruby@^22, jruby@22.x or jruby@22.1.0)",
      "3:12 toolchain: expected an image reference, found "acme/Node" (its repository "acme/Node" is not valid (expected lower-case letters and digits, separated by single . _ or by - and /; did you mean acme/node?))",
      "3:12 toolchain: expected a path inside the repository, found "../x" (.. would leave it, and other machines have something else there)",
      "3:12 toolchain: expected a path inside the repository, relative to gbuild.yml, found "/x" (leave out what is in front of the repository)",
      "3:12 toolchain: expected a toolchain such as node@^22, an image reference, or a folder such as ./build-image, found the number 22",
      "3:12 toolchain: expected a toolchain such as node@^22, an image reference, or a folder such as ./build-image, found an empty list",
      "3:1 toolchain.name: expected text, found no such key",
      "3:20 toolchain.image: expected an image reference, found "A" (its repository "A" is not valid (expected lower-case letters and digits, separated by single . _ or by - and /; did you mean a?))",
      "3:21 toolchain.folder: expected a path inside the repository, found "../x" (.. would leave it, and other machines have something else there)",
      "3:34 toolchain.version: expected a version or a range of versions such as ^22, found the number 22.10 (put it in quotes)",
      "3:34 toolchain.version: expected a version or a range of versions such as ^22, 22.x or ">=22.1 <24", found "lts"",
      "3:23 toolchain.tag: expected a known key, found "tag" (known are image)",
      "3:28 toolchain.x: expected text, a number, true or false, or a list of texts, found an empty mapping",
    ]
  `);
});

test('durations, sizes and counts have units and bounds', () => {
  const timeout = (text: string) => mistakesOf(specWith(`tasks: {t: {run: x, timeout: ${text}}}\n`));
  expect(['10', '0s', '10 m', '1d', '-5s', '""'].flatMap(timeout)).toMatchInlineSnapshot(`
    [
      "4:30 tasks.t.timeout: expected a duration such as 90s, 10m or 1h30m, found the number 10 (add the unit: s, m or h)",
      "4:30 tasks.t.timeout: expected a duration such as 90s, 10m or 1h30m, above zero, found "0s"",
      "4:30 tasks.t.timeout: expected a duration such as 90s, 10m or 1h30m, found "10 m"",
      "4:30 tasks.t.timeout: expected a duration such as 90s, 10m or 1h30m, found "1d"",
      "4:30 tasks.t.timeout: expected a duration such as 90s, 10m or 1h30m, found "-5s"",
      "4:30 tasks.t.timeout: expected a duration such as 90s, 10m or 1h30m, found an empty text",
    ]
  `);
  const resources = (text: string) => mistakesOf(specWith(`resources: {${text}}\n`));
  const wrong = ['memory: 2', 'memory: 2x', 'memory: 1k', 'cpus: 0', 'cpus: "2"', 'cpus: .inf', 'pids: 0', 'pids: 1.5'];
  expect(wrong.flatMap(resources)).toMatchInlineSnapshot(`
    [
      "4:21 resources.memory: expected an amount of memory such as 512m or 2g, found the number 2 (add the unit: m or g)",
      "4:21 resources.memory: expected an amount of memory such as 512m or 2g, found "2x"",
      "4:21 resources.memory: expected an amount of memory such as 512m or 2g, at least 6m, found "1k"",
      "4:19 resources.cpus: expected a number of processors above zero, found the number 0",
      "4:19 resources.cpus: expected a number, found "2" (write 2 without quotes)",
      "4:19 resources.cpus: expected a number, found the number .inf",
      "4:19 resources.pids: expected a whole number from 1 on, found the number 0",
      "4:19 resources.pids: expected a whole number, found the number 1.5",
    ]
  `);
});

test('paths stay inside the repository, and inside the container they are absolute', () => {
  const from = (path: string) => mistakesOf(specWith(`image: {layers: [{name: a, from: ${path}}]}\n`));
  const wrong = ['../x', 'a/../../x', '/etc', '/workspace/dist', 'C:\\x', 'dist\\x', '~/x', 'dist/*.js', '""', '[]'];
  expect(wrong.flatMap(from)).toMatchInlineSnapshot(`
    [
      "4:34 image.layers[0].from: expected a path inside the repository, found "../x" (.. would leave it, and other machines have something else there)",
      "4:34 image.layers[0].from: expected a path inside the repository, found "a/../../x" (.. would leave it, and other machines have something else there)",
      "4:34 image.layers[0].from: expected a path inside the repository, relative to gbuild.yml, found "/etc" (leave out what is in front of the repository)",
      "4:34 image.layers[0].from: expected a path inside the repository, found "/workspace/dist" (write dist)",
      "4:34 image.layers[0].from: expected a path inside the repository, found "C:\\\\x" (separate folders by /)",
      "4:34 image.layers[0].from: expected a path inside the repository, found "dist\\\\x" (separate folders by /)",
      "4:34 image.layers[0].from: expected a path inside the repository, found "~/x" (the home folder is not part of the repository)",
      "4:34 image.layers[0].from: expected a file or folder, found "dist/*.js" (globs go under include)",
      "4:34 image.layers[0].from: expected text that is not empty, found an empty text",
      "4:34 image.layers[0].from: expected at least one path, found an empty list",
    ]
  `);
  expect(
    mistakesOf(specWith('tasks: {t: {run: x, workdir: /workspace/api, reports: [../r.xml]}}\n')),
  ).toMatchInlineSnapshot(`
    [
      "4:30 tasks.t.workdir: expected a path inside the repository, found "/workspace/api" (write api)",
      "4:56 tasks.t.reports[0]: expected a glob inside the repository, found "../r.xml" (.. would leave it, and other machines have something else there)",
    ]
  `);
  expect(
    mistakesOf(
      specWith(
        'caches: [{name: a, path: npm}, {name: b, path: /workspace/}, {name: C, path: /a/../b}]\nimage: {workdir: app}\n',
      ),
    ),
  ).toMatchInlineSnapshot(`
    [
      "4:26 caches[0].path: expected an absolute path in the container, found "npm" (write /npm)",
      "4:48 caches[1].path: expected a folder of its own, such as /cache/npm, found "/workspace/"",
      "4:69 caches[2].name: expected the name of a cache: lower-case letters, digits and . _ -, found "C"",
      "4:78 caches[2].path: expected an absolute path in the container, found "/a/../b" (leave out ..)",
      "5:18 image.workdir: expected an absolute path in the container, found "app" (write /app)",
    ]
  `);
});

test('what an image says about itself is checked', () => {
  expect(
    mistakesOf(
      specWith(
        'image:\n  base: Debian\n  cmd: node server.js\n  entrypoint: []\n  expose: [0, 65536, http, 8080-8090, 80/tls]\n  user: [x]\n  labels: {io.gbuild.run: x, a: 1}\n  health: {cmd: x, interval: 5, retries: 0}\n',
      ),
    ),
  ).toMatchInlineSnapshot(`
    [
      "5:9 image.base: expected an image reference, found "Debian" (its repository "Debian" is not valid (expected lower-case letters and digits, separated by single . _ or by - and /; did you mean debian?))",
      "6:8 image.cmd: expected the command as a list of words, found "node server.js" (write it as a list: ["node", "server.js"])",
      "7:15 image.entrypoint: expected at least one word, found an empty list",
      "8:12 image.expose[0]: expected a port such as 8080, 8080/tcp or 53/udp, from 1 to 65535, found the number 0",
      "8:15 image.expose[1]: expected a port such as 8080, 8080/tcp or 53/udp, from 1 to 65535, found the number 65536",
      "8:22 image.expose[2]: expected a port such as 8080, 8080/tcp or 53/udp, from 1 to 65535, found "http"",
      "8:28 image.expose[3]: expected a port such as 8080, 8080/tcp or 53/udp, from 1 to 65535, found "8080-8090"",
      "8:39 image.expose[4]: expected a port such as 8080, 8080/tcp or 53/udp, from 1 to 65535, found "80/tls"",
      "9:9 image.user: expected a user such as 1000, "1000:1000" or node, found a list of 1",
      "10:12 image.labels["io.gbuild.run"]: expected the name of a label, found "io.gbuild.run" (io.gbuild.* is written by gbuild itself)",
      "10:33 image.labels.a: expected text, found the number 1 (put it in quotes: "1")",
      "11:17 image.health.cmd: expected the command as a list of words, found "x" (write it as a list: ["x"])",
      "11:30 image.health.interval: expected a duration such as 90s, 10m or 1h30m, found the number 5 (add the unit: s, m or h)",
      "11:42 image.health.retries: expected a whole number from 1 on, found the number 0",
    ]
  `);
});

test('writable folders are below the application, or absolute and not the whole image', () => {
  const { spec } = parseSpec(specWith('image: {writable: [uploads/, ./a/b, ., /var/lib//hello]}\n'));
  expect(spec.image.writable).toEqual(['/app/uploads', '/app/a/b', '/app', '/var/lib/hello']);
  expect(mistakesOf(specWith('image: {writable: [../x, /, /proc/x, "a\\\\b", 1]}\n'))).toMatchInlineSnapshot(`
    [
      "4:20 image.writable[0]: expected a folder of the image, absolute or below /app, found "../x" (leave out .. and \\)",
      "4:26 image.writable[1]: expected a folder of the image, absolute or below /app, found "/" (an engine decides about /, /proc, /sys and /dev)",
      "4:29 image.writable[2]: expected a folder of the image, absolute or below /app, found "/proc/x" (an engine decides about /, /proc, /sys and /dev)",
      "4:38 image.writable[3]: expected a folder of the image, absolute or below /app, found "a\\\\b" (leave out .. and \\)",
      "4:46 image.writable[4]: expected text, found the number 1 (put it in quotes: "1")",
    ]
  `);
  expect(mistakesOf(specWith('image: {writable: uploads}\n'))).toMatchInlineSnapshot(`
    [
      "4:19 image.writable: expected a list, found "uploads" (write it as a list: ["uploads"])",
    ]
  `);
});

test('a Java runtime is a kind, or a kind and modules, on a base made for it', () => {
  const wrong = [
    '[jlink]',
    'JLink',
    '{modules: [a]}',
    '{kind: jlink, modules: [java.base, a-b]}',
    '{kind: jlink, cds: true}',
  ];
  const all = wrong.flatMap((jre) => mistakesOf(specWith(`image: {jre: ${jre}}\n`)));
  expect([...all, ...mistakesOf(specWith('image: {base: scratch, jre: jlink}\n'))]).toMatchInlineSnapshot(`
    [
      "4:14 image.jre: expected jlink, or a mapping of kind and modules, found a list of 1",
      "4:14 image.jre: expected a kind of Java runtime such as jlink, found "JLink"",
      "4:9 image.jre.kind: expected text, found no such key",
      "4:49 image.jre.modules[1]: expected the name of a module such as jdk.localedata, found "a-b"",
      "4:28 image.jre.cds: expected a known key, found "cds" (known are kind, modules)",
      "4:15 image.base: expected auto with image.jre, found "scratch" (such an image gets a base made for it: leave out one of the two)",
    ]
  `);
  const { spec } = parseSpec(specWith('image: {jre: jlink}\n'));
  expect(spec.image.jre).toEqual({ kind: 'jlink', modules: [] });
});

test('a list is one command, not several', () => {
  expect(
    mistakesOf(
      specWith('tasks:\n  a: {run: [npm ci, npm test]}\n  b: [make]\n  c: ""\n  d: {run: []}\n  e:\n  "1 f": x\n'),
    ),
  ).toMatchInlineSnapshot(`
    [
      "5:13 tasks.a.run[0]: expected a program, found "npm ci" (a list is one command, word by word; for several commands use a text of several lines: run: |)",
      "6:6 tasks.b: expected a command, or a mapping with run, found a list of 1",
      "7:6 tasks.c: expected text that is not empty, found an empty text",
      "8:12 tasks.d.run: expected a command and its arguments, found an empty list",
      "9:3 tasks.e: expected a command, or a mapping with run, found nothing",
      "10:3 tasks["1 f"]: expected the name of a task: letters, digits and : . _ -, starting with a letter, found "1 f"",
    ]
  `);
});

test('names that must be given once are', () => {
  expect(
    mistakesOf(
      specWith(
        'caches:\n  - {name: a, path: /x}\n  - {name: a, path: /x}\nimage:\n  layers: [{name: l, from: a}, {name: l, from: b}]\n',
      ),
    ),
  ).toMatchInlineSnapshot(`
    [
      "6:12 caches[1].name: expected each name once, found "a" again: the first is on line 5",
      "6:21 caches[1].path: expected each path once, found "/x" again: the first is on line 5",
      "8:39 image.layers[1].name: expected each name once, found "l" again: the first is on line 8",
    ]
  `);
});

test('platforms are those of Linux images, each once, spelt one way and sorted', () => {
  const platforms = (text: string) => parseSpec(specWith(`image: {platforms: ${text}}\n`)).spec.image.platforms;
  expect(platforms('[linux/arm64/v8, linux/amd64, linux/arm]')).toEqual(['linux/amd64', 'linux/arm/v7', 'linux/arm64']);
  expect(parseSpec(specWith('image: {}\n')).spec.image).not.toHaveProperty('platforms');
  const wrong = [
    'linux/amd64',
    '[]',
    '[linux/x86_64, arm64, windows/amd64, linux/sparc, 64]',
    '[linux/arm64, linux/arm64/v8]',
  ];
  const all = wrong.flatMap((text) => mistakesOf(specWith(`image: {platforms: ${text}}\n`)));
  const jre = mistakesOf(specWith('image: {jre: jlink, platforms: [linux/amd64, linux/arm64]}\n'));
  expect([...all, ...jre]).toMatchInlineSnapshot(`
    [
      "4:20 image.platforms: expected a list, found "linux/amd64" (write it as a list: ["linux/amd64"])",
      "4:20 image.platforms: expected at least one platform, found an empty list",
      "4:21 image.platforms[0]: expected a platform such as linux/amd64 or linux/arm64, found "linux/x86_64" (did you mean linux/amd64?)",
      "4:35 image.platforms[1]: expected a platform such as linux/amd64 or linux/arm64, found "arm64" (did you mean linux/arm64?)",
      "4:42 image.platforms[2]: expected a platform such as linux/amd64 or linux/arm64, found "windows/amd64" (known after linux/ are 386, amd64, arm, arm64, loong64, mips64le, ppc64le, riscv64, s390x)",
      "4:57 image.platforms[3]: expected a platform such as linux/amd64 or linux/arm64, found "linux/sparc" (known after linux/ are 386, amd64, arm, arm64, loong64, mips64le, ppc64le, riscv64, s390x)",
      "4:70 image.platforms[4]: expected text, found the number 64 (put it in quotes: "64")",
      "4:34 image.platforms[1]: expected each platform once, found "linux/arm64/v8" (linux/arm64 is there already)",
      "4:32 image.platforms: expected one platform with image.jre, found a list of 2 (such a runtime is machine code for the engine that made it)",
    ]
  `);
});
