/** Result of one check. `todo` says how to fix it, in commands where there are any. */
export interface Check {
  name: string;
  state: 'ok' | 'warning' | 'problem';
  detail: string;
  todo: string[];
}
