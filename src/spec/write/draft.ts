import type { SpecInput } from '../schema/schema.ts';

/** Spec as a person would write it, and its assumptions: the input of `gbuild init` from detection. */
export interface SpecDraft extends Omit<SpecInput, 'gbuild'> {
  assumptions: Assumption[];
  /** Examples of optional keys, shown as comments instead of the general ones. */
  examples?: Record<string, unknown>;
}

/** Reason for the value of a detected key, for the note that a run prints and the comments of `gbuild init`. */
export interface Assumption {
  /** Key of the value, dotted: `name`, `tasks.test`. */
  key: string;
  /** Source of the value, to be read after "assumed:": `"engines" of package.json`. */
  because: string;
}
