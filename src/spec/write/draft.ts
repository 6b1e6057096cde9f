import type { SpecInput } from '../schema/schema.ts';

/** A spec as a person would write it, and what was assumed on the way: what detection hands to `gbuild init`. */
export interface SpecDraft extends Omit<SpecInput, 'gbuild'> {
  assumptions: Assumption[];
  /** Examples to show, commented out, of keys that are not needed: instead of those for any toolchain. */
  examples?: Record<string, unknown>;
}

/** Reason for the value of a detected key, for the note that a run prints and the comments of `gbuild init`. */
export interface Assumption {
  /** The key it is about, dotted: `name`, `tasks.test`. */
  key: string;
  /** Where it comes from, to be read after "assumed:": `"engines" of package.json`. */
  because: string;
}
