import { describe, expect, test } from 'vitest';
import { listUnknown, planPush } from '../../../src/sync/push/plan-push.ts';
import type { Node, SyncBase, SyncBaseEntry, Tree } from '../../../src/sync/tree/tree.ts';
import { unknownFingerprint } from '../../../src/workspace/unknown-fingerprint.ts';

const file = (fingerprint: string, mode = 0o644): Node => ({ kind: 'file', mode, size: 1, fingerprint });
const folder = (fingerprint = '755'): Node => ({ kind: 'directory', mode: 0o755, size: 0, fingerprint });
const link = (target: string): Node => ({ kind: 'symlink', mode: 0o777, size: 0, fingerprint: target, target });
const known = (local: string, remote: string, kind: SyncBaseEntry['kind'] = 'file'): SyncBaseEntry => {
  return { kind, content: 'digest', local, remote };
};
const tree = (nodes: Record<string, Node>): Tree => new Map(Object.entries(nodes));
const base = (all: Record<string, SyncBaseEntry>): SyncBase => new Map(Object.entries(all));

interface Given {
  local?: Tree;
  outputs?: Tree;
  remote?: Tree;
  base?: SyncBase;
}

function planAll(sides: Given, ignored: string[] = []) {
  const { local: sources = new Map(), outputs = new Map(), remote = new Map(), base: all = new Map() } = sides;
  const local = new Map([...sources, ...outputs]);
  return planPush({ local, sources, remote, base: all }, new Set(ignored));
}

/** What is to be done there. */
function plan(sides: Given, ignored?: string[]) {
  const { unsettled: _, ...todo } = planAll(sides, ignored);
  return todo;
}

describe('a file that git does not ignore', () => {
  test.each<[what: string, here: string, there: string | undefined, before: SyncBaseEntry | undefined, todo: string]>([
    ['is left where both sides look as they did', 'a', 'b', known('a', 'b'), 'nothing'],
    ['is sent where the engine has none', 'a', undefined, known('a', 'b'), 'send'],
    ['is sent where nobody remembers it', 'a', 'b', undefined, 'send'],
    ['is sent where it changed there', 'a', 'other', known('a', 'b'), 'send'],
    ['is compared where only its times changed here', 'other', 'b', known('a', 'b'), 'compare'],
    [
      'is compared where it was touched a moment ago',
      unknownFingerprint,
      'b',
      known(unknownFingerprint, 'b'),
      'compare',
    ],
  ])('%s', (_, here, there, before, todo) => {
    const { send, compare, remove } = plan({
      local: tree({ f: file(here) }),
      remote: there === undefined ? new Map() : tree({ f: file(there) }),
      ...(before !== undefined && { base: base({ f: before }) }),
    });
    const expected = { nothing: [[], []], send: [['f'], []], compare: [[], ['f']] }[todo];
    expect([send, compare, remove]).toEqual([...expected!, []]);
  });
});

test('folders and links are sent where mode or target differ, whatever is remembered', () => {
  const local = tree({ d: folder('755'), e: folder('700'), l: link('x'), m: link('y') });
  const remote = tree({ d: folder('755'), e: folder('755'), l: link('x'), m: link('x') });
  expect(plan({ local, remote })).toEqual({ send: ['e', 'm'], compare: [], remove: [] });
});

test('the base is told of what is gone, of what nobody knew to be alike, and of outputs that the volume has lost', () => {
  const sources = { d: folder(), e: folder(), l: link('x'), m: link('y'), f: file('1') };
  const sides = {
    local: tree(sources),
    outputs: tree({ out: file('1'), lost: file('1') }),
    remote: tree({ ...sources, f: file('2'), out: file('2') }),
    base: base({
      gone: known('1', '1'),
      d: { ...known('755', '755', 'directory'), content: '' },
      e: { ...known('700', '755', 'directory'), content: '' },
      m: { ...known('y', 'y', 'symlink'), content: 'y' },
      f: known('1', '2'),
      out: known('1', '2'),
      lost: known('1', '2'),
    }),
  };
  expect(planAll(sides)).toEqual({ remove: [], send: [], compare: [], unsettled: ['gone', 'e', 'l', 'lost'] });
});

test('what is of another kind there goes first, with all that is in it', () => {
  const local = tree({ a: file('1'), b: folder(), 'b/in': file('1') });
  const remote = tree({ a: folder(), 'a/old': file('2'), b: file('2') });
  const all = base({ 'a/old': known('1', '2'), b: known('1', '2') });
  expect(plan({ local, remote, base: all })).toEqual({ remove: ['a', 'b'], send: ['a', 'b', 'b/in'], compare: [] });
});

test('what was deleted here goes there, a folder as a whole, ignored files in it included', () => {
  const remote = tree({ gone: file('1'), d: folder(), 'd/f': file('1'), 'd/node_modules': folder() });
  const all = base({ gone: known('1', '1'), d: known('755', '755', 'directory'), 'd/f': known('1', '1') });
  expect(plan({ remote, base: all }).remove).toEqual(['gone', 'd']);
});

describe('what nobody knows there', () => {
  const remote = tree({
    target: folder(),
    'target/x': file('1'),
    left: file('1'),
    src: folder(),
    'src/a.o': file('1'),
  });
  const local = tree({ src: folder() });

  test('is asked of git by its topmost paths', () => {
    expect(listUnknown({ local, remote, base: new Map() })).toEqual(['target/', 'left', 'src/a.o']);
  });

  test('stays where git ignores it, and goes where it does not: a run that was killed left it', () => {
    expect(plan({ local, remote }, ['target', 'src/a.o'])).toEqual({ remove: ['left'], send: [], compare: [] });
  });

  test("goes without asking in git's own folder", () => {
    const git = tree({ '.git': folder(), '.git/index.lock': file('1') });
    const sides = { local: tree({ '.git': folder() }), remote: git, base: new Map() };
    expect([listUnknown(sides), plan(sides, ['.git/index.lock']).remove]).toEqual([[], []]);
    expect(plan(sides).remove).toEqual(['.git/index.lock']);
  });
});

describe('what git ignores and came back once', () => {
  const all = base({ 'dist/o': known('a', 'b') });
  const remoteOf = (fingerprint: string) => tree({ dist: folder(), 'dist/o': file(fingerprint) });

  test.each<[what: string, here: string | undefined, there: string, wanted: [string[], string[]]]>([
    ['stays as it is there', 'a', 'b', [[], []]],
    ['stays where a run that died changed it there', 'a', 'newer', [[], []]],
    ['is compared where it was edited here', 'edited', 'b', [[], ['dist/o']]],
    ['goes there where it was deleted here', undefined, 'b', [['dist/o'], []]],
  ])('%s', (_, here, there, [remove, compare]) => {
    const outputs = here === undefined ? new Map() : tree({ 'dist/o': file(here) });
    expect(plan({ outputs, remote: remoteOf(there), base: all }, ['dist'])).toEqual({ remove, compare, send: [] });
  });

  test('is not sent to a volume that has it no more', () => {
    expect(plan({ outputs: tree({ 'dist/o': file('a') }), base: all })).toEqual({
      remove: [],
      send: [],
      compare: [],
    });
  });
});
