import { Scalar } from 'yaml';
import { type DeliveryFile, jsonFile, textFile } from '../../files.ts';
import { referByDigest, refuseDelivery } from '../../refuse.ts';
import type { DeliveryTarget, Validator } from '../../target.ts';
import { yamlFile } from '../../yaml-file.ts';
import { imagePlaceholder } from './hand-written-images.ts';
import { assertOptionsMatter, type EcsInput, type EcsOptions, ecsOptions, listContainers } from './options.ts';
import { describeTask } from './task-definition.ts';
import { readTaskTemplate, type TaskTemplate } from './task-template.ts';

/** Amazon ECS: a task definition, and the files that its deployments take, under the names that they look for. */
export const ecs: DeliveryTarget<EcsOptions> = {
  kind: 'ecs',
  summary: 'Amazon ECS: a task definition by digest, for rolling, blue/green and canary deployments',
  takes: 'digest',
  takesOnePlatform: false,
  options: ecsOptions,
  template: { use: 'optional', is: 'file' },
  needs: ['deliver.service.memory, or a template: a task definition in JSON'],
  render: (input) => {
    assertOptionsMatter(input);
    const template = input.template === undefined ? undefined : readTaskTemplate(input);
    const write = (path: string, image: string) =>
      template === undefined ? jsonFile(path, describeTask(input, image)) : textFile(path, template.fill(image));
    return input.options.deployment === 'blue-green'
      ? renderBlueGreen(input, template, write)
      : renderRolling(input, template, write);
  },
  listValidators: () => [validator],
};

type Write = (path: string, image: string) => DeliveryFile;

/** Renders for ECS's own controller: by its API, or by the standard action of CodePipeline. */
function renderRolling(input: EcsInput, template: TaskTemplate | undefined, write: Write): DeliveryFile[] {
  const { image, options, service } = input;
  const imageUri = referByDigest(image);
  return [
    write('taskdef.json', imageUri),
    jsonFile(
      'imagedefinitions.json',
      listContainers(input).map((name) => ({ name, imageUri })),
    ),
    jsonFile('service.json', {
      ...(options.cluster !== undefined && { cluster: options.cluster }),
      service: options.service ?? service.name,
      // The family alone is its newest revision.
      taskDefinition: template?.definition.family ?? options.family ?? service.name,
      deploymentConfiguration: describeDeployment(options),
    }),
  ];
}

function describeDeployment({ deployment, canaryPercent = 5, canaryMinutes = 10 }: EcsOptions): object {
  return deployment === 'canary'
    ? { strategy: 'CANARY', canaryConfiguration: { canaryPercent, canaryBakeTimeInMinutes: canaryMinutes } }
    : // A pull that fails must end the deployment: without the breaker ECS tries for hours.
      { deploymentCircuitBreaker: { enable: true, rollback: true } };
}

/** Renders for CodeDeploy: by its action of CodePipeline, which fills the places, or by `aws ecs deploy`. */
function renderBlueGreen(input: EcsInput, template: TaskTemplate | undefined, write: Write): DeliveryFile[] {
  const [container] = listContainers(input);
  const version = new Scalar(0);
  version.minFractionDigits = 1;
  return [
    write('taskdef.json', imagePlaceholder),
    write('taskdef-by-digest.json', referByDigest(input.image)),
    jsonFile('imageDetail.json', { ImageURI: referByDigest(input.image) }),
    yamlFile('appspec.yaml', {
      version,
      Resources: [
        {
          TargetService: {
            Type: 'AWS::ECS::Service',
            Properties: {
              TaskDefinition: '<TASK_DEFINITION>',
              LoadBalancerInfo: { ContainerName: container, ContainerPort: choosePort(input, template, container!) },
            },
          },
        },
      ],
    }),
  ];
}

/** Chooses the port that the load balancer sends requests to. */
function choosePort({ image, service, target }: EcsInput, template: TaskTemplate | undefined, name: string): number {
  const found = template?.definition.containerDefinitions.find((container) => container.name === name);
  const ports =
    found === undefined ? undefined : (found.portMappings ?? []).flatMap(({ containerPort }) => containerPort ?? []);
  const { port } = service;
  if (port !== undefined && ports?.includes(port) !== false) return port;
  if (ports?.length === 1) return ports[0]!;
  const why =
    ports === undefined
      ? 'the service has no port'
      : `the container ${name} has ${ports.length === 0 ? 'no port' : `the ports ${ports.join(', ')}`}`;
  throw refuseDelivery(image, target, `${why}, and a load balancer needs one`, [
    'write deliver.service.port in gbuild.yml',
  ]);
}

const args = ['ecs', 'register-task-definition', '--cli-input-json', 'file://taskdef.json'];

/** Lets the tool check the parameters: a skeleton of the output needs no request, so that any region does. */
const validator: Validator = {
  program: 'aws',
  args: [...args, '--generate-cli-skeleton', 'output', '--region', 'us-east-1'],
};
