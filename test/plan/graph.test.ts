import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { orderTasks } from '../../src/plan/graph.ts';

describe('orderTasks', () => {
  it('puts what a task needs before it, each task once', () => {
    const needs: Record<string, string[]> = {
      test: ['build', 'lint'],
      build: ['install'],
      lint: ['install'],
      install: [],
    };
    expect(orderTasks(['test'], (name) => needs[name]!)).toEqual(['install', 'build', 'lint', 'test']);
  });

  it('refuses tasks that need one another', () => {
    const needs: Record<string, string[]> = { test: ['build'], build: ['install'], install: ['build'] };
    expect(() => orderTasks(['test'], (name) => needs[name]!)).toThrowErrorMatchingInlineSnapshot(
      `[GbuildError: these tasks need one another: build needs install needs build]`,
    );
  });

  it('orders a chain longer than the call stack is deep', () => {
    const chain = Array.from({ length: 20_000 }, (_, at) => `t${at}`);
    const ordered = orderTasks([chain.at(-1)!], (name) => (name === 't0' ? [] : [`t${Number(name.slice(1)) - 1}`]));
    expect(ordered).toEqual(chain);
  });

  it('shows both ends of a long cycle', () => {
    const needsOf = (name: string) => [`t${(Number(name.slice(1)) + 1) % 100_000}`];
    expect(() => orderTasks(['t0'], needsOf)).toThrowErrorMatchingInlineSnapshot(
      `[GbuildError: these tasks need one another: t0 needs t1 needs t2 needs t3 needs t4 needs ... needs t99996 needs t99997 needs t99998 needs t99999 needs t0]`,
    );
  });

  it('keeps the order of any graph without cycles', () => {
    const graphs = fc
      .integer({ min: 1, max: 12 })
      .chain((size) =>
        fc.tuple(
          ...Array.from({ length: size }, (_, index) => fc.subarray(Array.from({ length: index }, (_, need) => need))),
        ),
      );
    fc.assert(
      fc.property(graphs, (needs) => {
        const ordered = orderTasks(needs.map((_, index) => String(index)).reverse(), (name) =>
          needs[Number(name)]!.map(String),
        );
        expect(new Set(ordered).size).toBe(needs.length);
        for (const [index, own] of needs.entries()) {
          for (const need of own) expect(ordered.indexOf(String(need))).toBeLessThan(ordered.indexOf(String(index)));
        }
      }),
    );
  });
});
