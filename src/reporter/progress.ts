/** Step as its worker sees it. Calls are cheap: a reporter draws at its own pace. */
export interface Step {
  /** Sets the step's line, which replaces the last one. */
  update(text: string): void;
  /**
   * Adds a line of detail (a builder's output): the window's tail on a terminal, a prefixed line in CI with --verbose.
   */
  log(line: string): void;
}

/** Target of all progress reports; reporters for terminals, CI and JSON implement it. */
export interface Progress {
  /** Runs the work as a named step: measures its time, and shows a failure once before throwing it. */
  step<T>(title: string, work: (step: Step) => Promise<T>): Promise<T>;
  note(text: string): void;
  warn(text: string): void;
  /** Reports a detail, for --verbose only. */
  detail?(text: string): void;
  /** Asks a person to choose; set only where one is at a terminal. Throws `interrupted` when they leave. */
  choose?(question: string, choices: string[]): Promise<string>;
}

/** Progress for work whose steps are not shown. */
export const silentProgress: Progress = {
  step: (_title, work) => work({ update: () => {}, log: () => {} }),
  note: () => {},
  warn: () => {},
};
