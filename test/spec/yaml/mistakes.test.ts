import { expect, test } from 'vitest';
import { parseSpec } from '../../../src/spec/read/read-spec.ts';
import { formatMistakes } from '../../../src/spec/yaml/mistakes.ts';
import { errorOf, mistakesIn, mistakesOf, specWith } from '../mistakes-of.ts';

const wrong = `gbuild: 1
name: Acme/Hello
toolchain: node@^22
env:
  VERSION: 1.10
networks: none
tasks:
  build: npm run build
  test:
    run: npm test
    needs: [biuld]
    timeout: 10
`;

test('all mistakes come at once, each with its place, its frame and what to write', () => {
  expect(errorOf(() => parseSpec(wrong)).message).toMatchInlineSnapshot(`
    "5 mistakes in gbuild.yml

      gbuild.yml:2:7  name: expected the repository of an image: lower-case letters and digits, separated by . _ - or /, found "Acme/Hello"
          1 | gbuild: 1
        > 2 | name: Acme/Hello
            |       ^^^^^^^^^^
        did you mean acme/hello?

      gbuild.yml:5:12  env.VERSION: expected text, found the number 1.10
          4 | env:
        > 5 |   VERSION: 1.10
            |            ^^^^
        put it in quotes: "1.10" (YAML reads it as 1.1)

      gbuild.yml:6:1  networks: expected a known key, found "networks"
          5 |   VERSION: 1.10
        > 6 | networks: none
            | ^^^^^^^^
        did you mean network?

      gbuild.yml:11:13  tasks.test.needs[0]: expected the name of a task, found "biuld"
          10 |     run: npm test
        > 11 |     needs: [biuld]
             |             ^^^^^
        did you mean build?

      gbuild.yml:12:14  tasks.test.timeout: expected a duration such as 90s, 10m or 1h30m, found the number 10
          11 |     needs: [biuld]
        > 12 |     timeout: 10
             |              ^^
        add the unit: s, m or h"
  `);
});

test('one mistake is called one, and its facts are there for --json', () => {
  const error = errorOf(() => parseSpec(specWith('network: briged\n'), 'sub/gbuild.yml'));
  expect({ code: error.code, exitCode: error.exitCode, message: error.message }).toMatchInlineSnapshot(`
    {
      "code": "spec-invalid",
      "exitCode": 2,
      "message": "one mistake in sub/gbuild.yml

      sub/gbuild.yml:4:10  network: expected bridge, none or host, found "briged"
          3 | toolchain: node@^22
        > 4 | network: briged
            |          ^^^^^^
        did you mean bridge?",
    }
  `);
  expect(mistakesIn(error)).toMatchInlineSnapshot(`
    [
      {
        "column": 10,
        "expected": "bridge, none or host",
        "file": "sub/gbuild.yml",
        "found": ""briged"",
        "frame": "  3 | toolchain: node@^22
    > 4 | network: briged
        |          ^^^^^^",
        "hint": "did you mean bridge?",
        "key": "network",
        "line": 4,
        "path": [
          "network",
        ],
      },
    ]
  `);
});

test('a missing key is shown at what lacks it, with the key that was probably meant', () => {
  expect(
    errorOf(() => parseSpec('nam: hello\ntoolchain: {nmae: node}\nimage:\n  layers:\n    - name: x\n')).message,
  ).toMatchInlineSnapshot(`
    "4 mistakes in gbuild.yml

      gbuild.yml:1:1  gbuild is missing: expected 1
        > 1 | nam: hello
            | ^
        the first line of the file is "gbuild: 1"

      gbuild.yml:1:1  nam: expected a known key, found "nam"
        > 1 | nam: hello
            | ^^^
        did you mean name?

      gbuild.yml:2:1  toolchain.name is missing: expected text
          1 | nam: hello
        > 2 | toolchain: {nmae: node}
            | ^^^^^^^^^
        is nmae meant to be name?

      gbuild.yml:5:7  image.layers[0].from is missing: expected a path in the repository, or a list of them
          4 |   layers:
        > 5 |     - name: x
            |       ^"
  `);
});

test('a command can colour the parts without knowing how they are laid out', () => {
  const [mistake] = mistakesIn(errorOf(() => parseSpec(specWith('network: briged\n'))));
  const mark = (name: string) => (text: string) => `<${name}>${text}</${name}>`;
  const style = { place: mark('place'), key: mark('key'), frame: mark('frame'), hint: mark('hint') };
  expect(formatMistakes([mistake!], style)).toMatchInlineSnapshot(`
    "  <place>gbuild.yml:4:10</place>  <key>network</key>: expected bridge, none or host, found "briged"
    <frame>      3 | toolchain: node@^22</frame>
    <frame>    > 4 | network: briged</frame>
    <frame>        |          ^^^^^^</frame>
    <hint>    did you mean bridge?</hint>"
  `);
});

test('more mistakes than fit a screen are counted, and whole in the facts', () => {
  const error = errorOf(() =>
    parseSpec(specWith(`env:\n${Array.from({ length: 50 }, (_, at) => `  A${at}: ${at}\n`).join('')}`)),
  );
  expect(error.message).toContain('50 mistakes in gbuild.yml\n');
  expect(error.message).toMatch(/\n {2}and 30 more$/);
  expect(mistakesIn(error)).toHaveLength(50);
});

test('nothing a terminal would act on reaches the message, not even from values and keys', () => {
  const error = errorOf(() =>
    parseSpec(specWith('network: "\\e[31m\\x9b\\u202e"\n"\\u200bx": 1\nimage: {build: "\\x7f"}\ntasks: {a: b}\n')),
  );
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
  expect(error.message.replaceAll('\n', '')).not.toMatch(/[\0-\x1f\x7f-\x9f\u200b\u202e]/);
});

test('words of other tools are answered with ours', () => {
  expect(
    mistakesOf(specWith('environment: {A: b}\ntasks: {t: {script: x, depends_on: []}}\nimage: {ports: [80]}\n')),
  ).toMatchInlineSnapshot(`
    [
      "4:1 environment: expected a known key, found "environment" (did you mean env?)",
      "5:13 tasks.t.script: expected a known key, found "script" (did you mean run?)",
      "5:24 tasks.t.depends_on: expected a known key, found "depends_on" (did you mean needs?)",
      "6:9 image.ports: expected a known key, found "ports" (did you mean expose?)",
    ]
  `);
});
