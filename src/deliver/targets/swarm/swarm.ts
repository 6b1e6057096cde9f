import { z } from 'zod';
import { declareVolumes, describeProcess, escapeDollar, findService } from '../../compose-file.ts';
import type { TextFile } from '../../files.ts';
import { referByDigest, refuseDelivery } from '../../refuse.ts';
import { type Service, writesVolumes } from '../../service.ts';
import type { DeliveryInput, DeliveryTarget } from '../../target.ts';
import { yamlFile } from '../../yaml-file.ts';

const optionsSchema = z.strictObject({
  /** Key of the service in the template; by default the service's name. */
  service: z.string().min(1).optional(),
  /** Port of the cluster, or of each node; by default the service's own. */
  publish: z.int().min(1).max(65_535).optional(),
  /** Way of the port: the routing mesh of all nodes, or the node that the task runs on. */
  ports: z.enum(['ingress', 'host']).optional(),
  /** Number of tasks; by default 1. */
  replicas: z.int().min(0).max(10_000).optional(),
  /** Command in the container that is healthy with exit code 0, or false for none. */
  healthcheck: z.union([z.array(z.string()).min(1), z.literal(false)]).optional(),
});

type Options = z.output<typeof optionsSchema>;

/** Docker Swarm: a stack, or an override that gives a service of the repository's own file its image. */
export const swarm: DeliveryTarget<Options> = {
  kind: 'swarm',
  summary: 'Docker Swarm: stack.yml, or stack.override.yml for a file of yours',
  takes: 'digest',
  takesOnePlatform: false,
  options: optionsSchema,
  template: { use: 'optional', is: 'file' },
  needs: [],
  render: (input) => [input.template === undefined ? renderStack(input) : renderOverride(input)],
};

/** Version of the format; `docker stack deploy` of old engines takes no file without one. */
const version = '3.8';

function renderStack(input: DeliveryInput<Options>): TextFile {
  const { image, service, options } = input;
  const described = {
    image: referByDigest(image),
    ...describeProcess(service),
    ...describePorts(service, options),
    ...describeHealth(input),
    deploy: describeDeployment(service, options),
  };
  return yamlFile('stack.yml', {
    version,
    services: { [options.service ?? service.name]: described },
    ...declareVolumes(service),
  });
}

function describePorts({ port }: Service, { publish = port, ports: mode = 'ingress' }: Options): object {
  return port === undefined ? {} : { ports: [{ target: port, published: publish, protocol: 'tcp', mode }] };
}

/** Swarm asks a command in the container: the image's own, or that of the options. It knows no paths of HTTP. */
function describeHealth({
  image,
  service: { health },
  options: { healthcheck },
  target,
}: DeliveryInput<Options>): object {
  if (healthcheck === false) return { healthcheck: { disable: true } };
  if (healthcheck !== undefined) return { healthcheck: { test: ['CMD', ...healthcheck.map(escapeDollar)] } };
  const [kind = 'NONE'] = image.config.Healthcheck?.Test ?? [];
  if (health === undefined || kind !== 'NONE') return {};
  throw refuseDelivery(
    image,
    target,
    `Swarm cannot ask ${health}: it runs a command in the container, and the image has none`,
    [
      'write image.health in gbuild.yml, and release again',
      `write deliver.targets.${target}.options.healthcheck: a command that the image has, or false for none`,
    ],
  );
}

/** Describes the deployment: a new task is up before the old one ends, and one that fails brings the former back. */
function describeDeployment(service: Service, { replicas = 1, ports }: Options): object {
  const { cpu, memory } = service;
  // Two tasks cannot have one port of a node, and two versions should not write to one volume.
  const order = ports === 'host' || writesVolumes(service) ? 'stop-first' : 'start-first';
  const limits = {
    ...(cpu !== undefined && { cpus: `${cpu}` }),
    ...(memory !== undefined && { memory: `${memory}b` }),
  };
  return {
    replicas,
    update_config: { order, failure_action: 'rollback' },
    rollback_config: { order },
    ...(Object.keys(limits).length > 0 && { resources: { limits } }),
  };
}

/** Files of one stack must have the same version. */
function renderOverride(input: DeliveryInput<Options>): TextFile {
  refuseOtherOptions(input);
  const { name, parsed } = findService(input);
  const said = (parsed.value as { version?: unknown }).version;
  return yamlFile('stack.override.yml', {
    ...(said !== undefined && { version: said }),
    services: { [name]: { image: referByDigest(input.image) } },
  });
}

const ofStacks = ['publish', 'ports', 'replicas', 'healthcheck'] as const;

/** Refuses options that this way of delivery does not read: they would be wrong in silence. */
function refuseOtherOptions({ image, target, options, template }: DeliveryInput<Options>): void {
  const given = ofStacks.find((option) => options[option] !== undefined);
  if (given === undefined) return;
  throw refuseDelivery(
    image,
    target,
    `options.${given} is for a stack that gbuild writes; here ${template!.path} says it`,
    [`say it in ${template!.path}, and leave deliver.targets.${target}.options.${given} out`],
  );
}
