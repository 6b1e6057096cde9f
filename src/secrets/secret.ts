/** A secret that a run was given. Its value stands in no message, plan, record or log. */
export interface Secret {
  name: string;
  /** As the task gets it. */
  value: Buffer;
}
