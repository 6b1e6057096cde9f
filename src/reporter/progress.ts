/** One step's life as its worker sees it. Cheap to call: a reporter draws at its own pace. */
export interface Step {
  /** Sets the step's line, which replaces the last one. */
  update(text: string): void;
  /** A line of detail (a builder's output): the window's tail on a terminal, a prefixed line in CI with --verbose. */
  log(line: string): void;
}

/** Target of every room's reports; reporters for terminals, CI and JSON implement it. */
export interface Progress {
  /** Runs the work as a named step: its time is taken, its failure shown once and thrown on. */
  step<T>(title: string, work: (step: Step) => Promise<T>): Promise<T>;
  note(text: string): void;
  warn(text: string): void;
  /** For --verbose alone. */
  detail?(text: string): void;
  /** Asks a person to choose; there only where one sits at a terminal. Throws `interrupted` when they go away instead. */
  choose?(question: string, choices: string[]): Promise<string>;
}

/** For work whose steps nobody wants to see. */
export const silentProgress: Progress = {
  step: (_title, work) => work({ update: () => {}, log: () => {} }),
  note: () => {},
  warn: () => {},
};
