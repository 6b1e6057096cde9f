import { expect, test } from 'vitest';
import { parseConfig } from '../../../src/spec/config/config.ts';
import { editTrust, nameEngine } from '../../../src/spec/config/edit-config.ts';

test('a file that is not there yet becomes one that names the engine', () => {
  expect(nameEngine(undefined, { host: 'ssh://build@box' })).toBe('config: 1\nhost: ssh://build@box\n');
});

test('another name takes the place of the first; comments and everything else stay', () => {
  const text = '# mine\nconfig: 1\nmachine: dev # at home\ncatalogs:\n  - ~/toolchains # ours\n';
  expect(nameEngine(text, { context: 'far' })).toBe(
    '# mine\nconfig: 1\ncatalogs:\n  - ~/toolchains # ours\ncontext: far\n',
  );
  expect(nameEngine(text, { machine: 'other' })).toBe(text.replace('dev', 'other'));
  expect(nameEngine(text, {})).toBe('# mine\nconfig: 1\ncatalogs:\n  - ~/toolchains # ours\n');
});

test('two names of an engine are a mistake, told at the second', () => {
  const parse = () => parseConfig('config: 1\nhost: tcp://h:1\nmachine: dev\n', 'config.yml', '/home/ada');
  expect(parse).toThrowErrorMatchingInlineSnapshot(`
    [GbuildError: one mistake in config.yml

      config.yml:3:10  expected one of host, context, machine, found a second name of an engine
          2 | host: tcp://h:1
        > 3 | machine: dev
            |          ^^^]
  `);
});

const digest = `sha256:${'1'.repeat(64)}`;
const other = `sha256:${'2'.repeat(64)}`;

test('trust in a repository is written, replaced and taken back; comments and everything else stay', () => {
  expect(editTrust(undefined, '/src/app', digest)).toBe(`config: 1\ntrust:\n  /src/app: ${digest}\n`);
  const text = `# mine\nconfig: 1 # first\ntrust:\n  # ours\n  /src/app: ${digest}\n  "/src/a: b": ${digest}\nmachine: dev\n`;
  expect(editTrust(text, '/src/app', other)).toBe(text.replace(digest, other));
  expect(editTrust(text, '/src/a: b', undefined)).toBe(text.replace(/ {2}"\/src\/a: b.*\n/, ''));
  expect(editTrust(`config: 1\ntrust:\n  /src/app: ${digest}\n`, '/src/app', undefined)).toBe('config: 1\n');
  expect(editTrust(text, '/elsewhere', undefined)).toBe(text);
  for (const edited of [text, editTrust(text, '/src/x', other)])
    expect(parseConfig(edited, 'config.yml', '/home/ada').trust['/src/app']).toBe(digest);
});

test('trust is in absolute folders, by digest', () => {
  const parse = () => parseConfig('config: 1\ntrust:\n  app: yes\n  /src/app: "1"\n', 'config.yml', '/home/ada');
  expect(parse).toThrowErrorMatchingInlineSnapshot(`
    [GbuildError: 2 mistakes in config.yml

      config.yml:3:3  trust.app: expected the absolute folder of a repository, found "app"
          2 | trust:
        > 3 |   app: yes
            |   ^^^

      config.yml:4:13  trust./src/app: expected a digest, found "1"
          3 |   app: yes
        > 4 |   /src/app: "1"
            |             ^^^
        "gbuild trust" writes it]
  `);
});
