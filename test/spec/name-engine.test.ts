import { expect, test } from 'vitest';
import { parseConfig } from '../../src/spec/config.ts';
import { nameEngine } from '../../src/spec/name-engine.ts';

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
