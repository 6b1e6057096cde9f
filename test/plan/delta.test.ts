import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Delta, planDelta } from '../../src/plan/delta.ts';

const fingerprints = (tree: Record<string, string>) => new Map(Object.entries(tree));

describe('planDelta', () => {
  it('names what is new, what changed and what is gone', () => {
    const before = fingerprints({ 'a/keep': 'f 1', 'a/edit': 'f 1', 'a/gone': 'f 1', link: 'l x' });
    const now = fingerprints({ 'a/keep': 'f 1', 'a/edit': 'f 2', 'a/new': 'f 1', link: 'l y' });
    expect(planDelta(before, now)).toEqual({ changed: ['a/edit', 'a/new', 'link'], removed: ['a/gone'] });
  });

  it('takes a file that it cannot be sure of as changed', () => {
    expect(planDelta(fingerprints({ a: '?' }), fingerprints({ a: '?' }))).toEqual({ changed: ['a'], removed: [] });
    expect(planDelta(fingerprints({ a: '?' }), fingerprints({ a: 'f 1' }))).toEqual({ changed: ['a'], removed: [] });
  });

  it('removes a folder that is gone once, not each path in it', () => {
    expect(planDelta(fingerprints({ a: 'd', 'a/b': 'f 1', 'a/c': 'f 1' }), fingerprints({}))).toEqual({
      changed: [],
      removed: ['a'],
    });
  });

  it('gives up where a folder takes the place of a file, or a file that of a folder', () => {
    expect(planDelta(fingerprints({ a: 'f 1' }), fingerprints({ a: 'd' }))).toBeUndefined();
    expect(planDelta(fingerprints({ 'a/b': 'f 1' }), fingerprints({ a: 'f 1' }))).toBeUndefined();
    expect(planDelta(fingerprints({ a: 'l x' }), fingerprints({ 'a/b': 'f 1' }))).toBeUndefined();
  });

  it('turns any tree into any other', () => {
    const name = fc.constantFrom('a', 'b', 'c');
    const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/'));
    const tree = fc.dictionary(path, fc.constantFrom('f 1', 'f 2', 'l x')).map(withoutNesting);
    fc.assert(
      fc.property(tree, tree, (before, now) => {
        const delta = planDelta(fingerprints(before), fingerprints(now));
        if (delta !== undefined) expect(apply(before, now, delta)).toEqual(now);
      }),
    );
  });
});

/** A path cannot be both a file and the folder of another. */
function withoutNesting(tree: Record<string, string>): Record<string, string> {
  const paths = Object.keys(tree);
  return Object.fromEntries(
    Object.entries(tree).filter(([path]) => !paths.some((other) => other.startsWith(`${path}/`))),
  );
}

/** What an engine shows of the layer on top of the tree. */
function apply(before: Record<string, string>, now: Record<string, string>, { changed, removed }: Delta) {
  const kept = Object.entries(before).filter(
    ([path]) => !removed.some((gone) => path === gone || path.startsWith(`${gone}/`)),
  );
  return { ...Object.fromEntries(kept), ...Object.fromEntries(changed.map((path) => [path, now[path]!])) };
}
