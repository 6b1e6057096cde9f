import type { TaskSpec } from '../types.ts';

/** Task with only its command: every other key has its default. */
export const bareTask: Readonly<Omit<TaskSpec, 'run'>> = {
  needs: [],
  env: {},
  secrets: [],
  ports: [],
  services: [],
  reports: [],
  split: [],
  workdir: '.',
};
