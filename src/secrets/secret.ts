/** Secret of a run. Its value is in no message, plan, record or log. */
export interface Secret {
  name: string;
  /** Value as the task gets it. */
  value: Buffer;
}
