import type { SpecOutput } from '../schema/schema.ts';
import type { DeliverSpec, DeliverTargetSpec, ImageSpec, ServiceSpec, Spec, TaskSpec } from '../types.ts';

/** Converts the checked file for the rest of gbuild: records without prototype. */
export function fillSpec(output: SpecOutput): Spec {
  const tasks = bare(output.tasks as Record<string, TaskSpec>, (task) => ({ ...task, env: bare(task.env) }));
  const spec: Spec = {
    ...output,
    env: bare(output.env),
    secrets: bare(output.secrets),
    services: bare(output.services as Record<string, ServiceSpec>, (each) => ({ ...each, env: bare(each.env) })),
    tasks,
    image: fillImage(output.image),
    deliver: fillDeliver(output.deliver),
  };
  const { toolchain, caches } = spec;
  if (toolchain.kind === 'catalog') spec.toolchain = { ...toolchain, options: bare(toolchain.options) };
  if (caches !== 'auto')
    spec.caches = caches.map(({ env, ...cache }) => (env === undefined ? cache : { ...cache, env: bare(env) }));
  return spec;
}

function fillImage({ build, ...image }: SpecOutput['image']): ImageSpec {
  return { ...image, ...(build !== undefined && { build }), env: bare(image.env), labels: bare(image.labels) };
}

function fillDeliver({ service, channels, targets }: SpecOutput['deliver']): DeliverSpec {
  const filled = { ...service, env: bare(service.env) };
  return { service: filled, channels: bare(channels), targets: bare<DeliverTargetSpec>(targets) };
}

/** Copies a record without prototype: names come from the file, and `constructor` is a valid one. */
function bare<T>(record: Record<string, T>, convert: (value: T) => T = (value) => value): Record<string, T> {
  const result: Record<string, T> = Object.create(null);
  for (const [name, value] of Object.entries(record)) result[name] = convert(value);
  return result;
}
