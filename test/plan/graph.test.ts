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
