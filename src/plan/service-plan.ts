import { bareTask } from '../spec/schema/bare-task.ts';
import type { PublishedPort, ReadySpec, Spec, TaskSpec } from '../spec/types.ts';
import type { PlannedTask } from './planned-task.ts';

/** Service of a run: a named image, or a command in the toolchain image with everything that a task gets. */
export interface PlannedService {
  name: string;
  runs:
    | { kind: 'image'; reference: string; command: string[]; env: Record<string, string> }
    | { kind: 'task'; task: PlannedTask };
  ports: PublishedPort[];
  ready: ReadySpec;
}

/**
 * Plans the services of these names, each once, in the order of the file. A command in the build image is planned like
 * a task.
 */
export function planServices(
  spec: Spec,
  names: string[],
  planTask: (name: string, task: TaskSpec) => PlannedTask,
): PlannedService[] {
  const services = Object.entries(spec.services).filter(([name]) => names.includes(name));
  return services.map(([name, { image, command = [], run = [], env, ports, ready }]) => {
    if (image !== undefined) return { name, runs: { kind: 'image', reference: image, command, env }, ports, ready };
    const task = { ...bareTask, run, env, ports };
    return { name, runs: { kind: 'task', task: planTask(name, task) }, ports, ready };
  });
}
