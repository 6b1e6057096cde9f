import type { Healthcheck } from '../../../oci/spec.ts';
import { referByDigest, refuseDelivery } from '../../refuse.ts';
import { nearestFargateSize, type TaskSize } from './fargate.ts';
import { type EcsInput, listContainers } from './options.ts';

const mebibyte = 1024 ** 2;

/** Makes a task definition from the service. @throws GbuildError `delivery-refused` */
export function describeTask(input: EcsInput, imageText: string): object {
  const { service, options, image } = input;
  const onFargate = options.launch === 'FARGATE';
  const { executionRole, taskRole, family = service.name } = options;
  if (onFargate) assertFargateCanRun(input);
  const size = onFargate ? sizeForFargate(input) : undefined;
  return {
    family,
    ...(taskRole !== undefined && { taskRoleArn: taskRole }),
    ...(executionRole !== undefined && { executionRoleArn: executionRole }),
    ...(size !== undefined && {
      networkMode: 'awsvpc',
      requiresCompatibilities: ['FARGATE'],
      cpu: String(size.cpu),
      memory: String(size.memory),
      ...(image.platform !== undefined && {
        runtimePlatform: { cpuArchitecture: cpuArchitectures.get(image.platform), operatingSystemFamily: 'LINUX' },
      }),
    }),
    containerDefinitions: [describeContainer(input, imageText, size)],
    ...(service.volumes.length > 0 && { volumes: describeVolumes(input) }),
  };
}

/** Architectures of ECS by platform. */
export const cpuArchitectures: ReadonlyMap<string, string> = new Map([
  ['linux/amd64', 'X86_64'],
  ['linux/arm64', 'ARM64'],
  ['linux/arm64/v8', 'ARM64'],
]);

/** Whether the image lies in Amazon's own registry, which Fargate asks with the execution role. */
export function isInEcr(reference: string): boolean {
  return /^\d+\.dkr\.ecr\.[^/]+\//.test(reference);
}

function describeContainer(input: EcsInput, imageText: string, size: TaskSize | undefined): object {
  const { image, service } = input;
  const { port, env, args, volumes } = service;
  const [name] = expectOneContainer(input);
  const health = describeHealth(image.config.Healthcheck);
  return {
    name,
    image: imageText,
    ...(size === undefined && sizeOfContainer(input)),
    essential: true,
    // Port 0 of the machine is any free one: two releases run side by side.
    ...(port !== undefined && {
      portMappings: [{ containerPort: port, ...(size === undefined && { hostPort: 0 }), protocol: 'tcp' }],
    }),
    ...(args !== undefined && { command: args }),
    ...(Object.keys(env).length > 0 && {
      environment: Object.entries(env).map(([key, value]) => ({ name: key, value })),
    }),
    ...(volumes.length > 0 && {
      mountPoints: volumes.map(({ from, to, readOnly }) => ({
        sourceVolume: nameVolume(from),
        containerPath: to,
        readOnly,
      })),
    }),
    ...(health !== undefined && { healthCheck: health }),
  };
}

function expectOneContainer(input: EcsInput): string[] {
  const names = listContainers(input);
  if (names.length === 1) return names;
  const { image, target } = input;
  throw refuseDelivery(image, target, `${names.join(' and ')} are containers of a template, and there is none`, [
    `name your task definition: deliver.targets.${target}.template`,
  ]);
}

function sizeOfContainer({ image, service: { cpu, memory }, target }: EcsInput): object {
  if (memory === undefined)
    throw refuseDelivery(image, target, 'ECS needs the memory of each container on EC2', [
      'write deliver.service.memory in gbuild.yml: 512m',
      `name your task definition: deliver.targets.${target}.template`,
    ]);
  // The kernel knows no share below two units.
  return {
    ...(cpu !== undefined && { cpu: Math.max(2, Math.round(cpu * 1024)) }),
    memory: Math.ceil(memory / mebibyte),
  };
}

function sizeForFargate({ image, service: { cpu, memory }, target }: EcsInput): TaskSize {
  const asked = { cpu: (cpu ?? 0) * 1024, memory: (memory ?? 0) / mebibyte };
  const nearest = nearestFargateSize(asked);
  if (nearest.cpu === asked.cpu && nearest.memory === asked.memory) return nearest;
  const why =
    cpu === undefined || memory === undefined
      ? 'Fargate needs cpu and memory of the service'
      : `Fargate has no task of ${cpu} processors and ${asked.memory} MiB`;
  throw refuseDelivery(image, target, why, [
    `the nearest is deliver.service.cpu: ${nearest.cpu / 1024} and memory: ${nearest.memory}m`,
  ]);
}

function assertFargateCanRun({ image, service, options, target }: EcsInput): void {
  const { platform } = image;
  if (platform !== undefined && !cpuArchitectures.has(platform))
    throw refuseDelivery(image, target, `Fargate runs linux/amd64 and linux/arm64, and the image is for ${platform}`, [
      `write deliver.targets.${target}.options.launch: EC2`,
    ]);
  if (service.volumes.length > 0)
    throw refuseDelivery(image, target, 'Fargate has no folders and no named volumes that outlive a task', [
      `name a task definition with efsVolumeConfiguration: deliver.targets.${target}.template`,
    ]);
  if (isInEcr(referByDigest(image)) && options.executionRole === undefined)
    throw refuseDelivery(image, target, 'Fargate pulls from Amazon ECR with an execution role, and none is named', [
      `write deliver.targets.${target}.options.executionRole: arn:aws:iam::123456789012:role/ecsTaskExecutionRole`,
    ]);
}

function describeVolumes({ service }: EcsInput): object[] {
  const sources = [...new Set(service.volumes.map(({ from }) => from))];
  return sources.map((from) =>
    from.startsWith('/')
      ? { name: nameVolume(from), host: { sourcePath: from } }
      : {
          name: nameVolume(from),
          // A shared volume outlives the task.
          dockerVolumeConfiguration: { scope: 'shared', autoprovision: true, driver: 'local' },
        },
  );
}

/** Names a volume by letters, digits, _ and -. No two sources get one name: `__` is a slash, `_46_` a dot. */
function nameVolume(from: string): string {
  const path = from.startsWith('/') ? `host${from}` : from;
  return path.replaceAll(/[^A-Za-z0-9-]/gu, (each) => (each === '/' ? '__' : `_${each.codePointAt(0)}_`));
}

/** ECS asks a container by a command alone, and does not read the image's own. It bounds the seconds. */
function describeHealth(check: Healthcheck | undefined): object | undefined {
  const [kind] = check?.Test ?? [];
  if (kind !== 'CMD' && kind !== 'CMD-SHELL') return undefined;
  const { Test: command, Interval, Timeout, Retries, StartPeriod } = check!;
  return {
    command,
    ...(Interval && { interval: seconds(Interval, 5, 300) }),
    ...(Timeout && { timeout: seconds(Timeout, 2, 60) }),
    ...(Retries && { retries: Math.min(Retries, 10) }),
    ...(StartPeriod && { startPeriod: seconds(StartPeriod, 0, 300) }),
  };
}

function seconds(nanoseconds: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, Math.ceil(nanoseconds / 1e9)));
}
