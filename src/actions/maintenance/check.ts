/** One thing that was looked at. `todo` is what to do about it, in commands where there are any. */
export interface Check {
  name: string;
  state: 'ok' | 'warning' | 'problem';
  detail: string;
  todo: string[];
}
