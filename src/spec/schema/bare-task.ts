import type { TaskSpec } from '../types.ts';

/** A task that says nothing but what it runs. */
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
