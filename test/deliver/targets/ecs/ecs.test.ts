import { expect, test } from 'vitest';
import { ecs } from '../../../../src/deliver/targets/ecs/ecs.ts';
import { errorOf } from '../../../support/assert/error-of.ts';
import { type Described, renderTexts } from '../../delivery-input.ts';

const memory = 512 * 1024 ** 2;
const refusal = async (described: Described) => {
  const { message, suggestions } = await errorOf(() => renderTexts(ecs, described));
  return [message, ...suggestions];
};

test('a service on EC2 becomes a task definition, and what the API and CodePipeline take', () => {
  const service = {
    env: { GREETING: 'it\'s "5 $"\n%d ünï', EMPTY: '', ANSWER: 'yes', VERSION: '1.10' },
    args: ['--name', 'a b', '$HOME'],
    cpu: 0.5,
    memory: memory + 1,
    volumes: [
      { from: 'data', to: '/data', readOnly: false },
      { from: '/srv/a.b', to: '/srv', readOnly: true },
      { from: '/srv/a.b', to: '/again', readOnly: false },
    ],
  };
  const Healthcheck = { Interval: 1e9, Test: ['CMD', 'node', 'check.js'], Timeout: 3e9, Retries: 20 };
  const image = { config: { Entrypoint: ['node'], Healthcheck } };
  expect(renderTexts(ecs, { service: { ...service, port: 80 }, image })).toMatchInlineSnapshot(`
    {
      "imagedefinitions.json": "[
      {
        "name": "hello",
        "imageUri": "registry.example.com/acme/hello@sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
      }
    ]
    ",
      "service.json": "{
      "service": "hello",
      "taskDefinition": "hello",
      "deploymentConfiguration": {
        "deploymentCircuitBreaker": {
          "enable": true,
          "rollback": true
        }
      }
    }
    ",
      "taskdef.json": "{
      "family": "hello",
      "containerDefinitions": [
        {
          "name": "hello",
          "image": "registry.example.com/acme/hello@sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb",
          "cpu": 512,
          "memory": 513,
          "essential": true,
          "portMappings": [
            {
              "containerPort": 80,
              "hostPort": 0,
              "protocol": "tcp"
            }
          ],
          "command": [
            "--name",
            "a b",
            "$HOME"
          ],
          "environment": [
            {
              "name": "GREETING",
              "value": "it's \\"5 $\\"\\n%d ünï"
            },
            {
              "name": "EMPTY",
              "value": ""
            },
            {
              "name": "ANSWER",
              "value": "yes"
            },
            {
              "name": "VERSION",
              "value": "1.10"
            }
          ],
          "mountPoints": [
            {
              "sourceVolume": "data",
              "containerPath": "/data",
              "readOnly": false
            },
            {
              "sourceVolume": "host__srv__a_46_b",
              "containerPath": "/srv",
              "readOnly": true
            },
            {
              "sourceVolume": "host__srv__a_46_b",
              "containerPath": "/again",
              "readOnly": false
            }
          ],
          "healthCheck": {
            "command": [
              "CMD",
              "node",
              "check.js"
            ],
            "interval": 5,
            "timeout": 3,
            "retries": 10
          }
        }
      ],
      "volumes": [
        {
          "name": "data",
          "dockerVolumeConfiguration": {
            "scope": "shared",
            "autoprovision": true,
            "driver": "local"
          }
        },
        {
          "name": "host__srv__a_46_b",
          "host": {
            "sourcePath": "/srv/a.b"
          }
        }
      ]
    }
    ",
    }
  `);
});

test('on Fargate the task has the size, the network and the architecture', () => {
  const service = { cpu: 0.25, memory };
  const options = { launch: 'FARGATE', executionRole: 'arn:aws:iam::123456789012:role/pull', family: 'web' };
  const files = renderTexts(ecs, { service, options, image: { platform: 'linux/arm64' } });
  expect(JSON.parse(files['taskdef.json']!)).toMatchInlineSnapshot(`
    {
      "containerDefinitions": [
        {
          "essential": true,
          "image": "registry.example.com/acme/hello@sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb",
          "name": "hello",
          "portMappings": [
            {
              "containerPort": 8080,
              "protocol": "tcp",
            },
          ],
        },
      ],
      "cpu": "256",
      "executionRoleArn": "arn:aws:iam::123456789012:role/pull",
      "family": "web",
      "memory": "512",
      "networkMode": "awsvpc",
      "requiresCompatibilities": [
        "FARGATE",
      ],
      "runtimePlatform": {
        "cpuArchitecture": "ARM64",
        "operatingSystemFamily": "LINUX",
      },
    }
  `);
});

test('a canary is asked of the service; blue/green has the places that CodePipeline fills', () => {
  const service = { memory };
  const options = { deployment: 'canary', cluster: 'main', service: 'web', canaryPercent: 10, canaryMinutes: 0 };
  expect(renderTexts(ecs, { service, options })['service.json']).toMatchInlineSnapshot(`
    "{
      "cluster": "main",
      "service": "web",
      "taskDefinition": "hello",
      "deploymentConfiguration": {
        "strategy": "CANARY",
        "canaryConfiguration": {
          "canaryPercent": 10,
          "canaryBakeTimeInMinutes": 0
        }
      }
    }
    "
  `);
  const {
    'taskdef.json': forPipeline,
    'taskdef-by-digest.json': byDigest,
    ...others
  } = renderTexts(ecs, {
    service,
    options: { deployment: 'blue-green' },
  });
  expect(others).toMatchInlineSnapshot(`
    {
      "appspec.yaml": "version: 0.0
    Resources:
      - TargetService:
          Type: AWS::ECS::Service
          Properties:
            TaskDefinition: <TASK_DEFINITION>
            LoadBalancerInfo:
              ContainerName: hello
              ContainerPort: 8080
    ",
      "imageDetail.json": "{
      "ImageURI": "registry.example.com/acme/hello@sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
    }
    ",
    }
  `);
  const image = 'registry.example.com/acme/hello@sha256:'.padEnd(103, 'b');
  expect(byDigest).toBe(forPipeline!.replace('<IMAGE1_NAME>', image));
});

test('a service that ECS or Fargate cannot run is refused with what to write', async () => {
  const onFargate = { launch: 'FARGATE' };
  const volumes = [{ from: 'data', to: '/data', readOnly: false }];
  const published = {
    repository: '123456789012.dkr.ecr.eu-west-1.amazonaws.com/acme/hello',
    digest: 'sha256:b' as const,
  };
  expect({
    memoryless: await refusal({}),
    sizeless: await refusal({ options: onFargate }),
    between: await refusal({ options: onFargate, service: { cpu: 0.25, memory: 3 * 1024 ** 3 } }),
    huge: await refusal({ options: onFargate, service: { cpu: 64, memory } }),
    volumes: await refusal({ options: onFargate, service: { cpu: 0.25, memory, volumes } }),
    platform: await refusal({ options: onFargate, image: { platform: 'linux/s390x' } }),
    ecr: await refusal({ options: onFargate, service: { cpu: 0.25, memory }, image: { published } }),
    containers: await refusal({ service: { memory }, options: { container: ['web', 'jobs'] } }),
    port: await refusal({ service: { memory }, options: { deployment: 'blue-green' }, image: { config: {} } }),
    idle: await refusal({ service: { memory }, options: { canaryPercent: 10 } }),
    codeDeploy: await refusal({ service: { memory }, options: { deployment: 'blue-green', cluster: 'main' } }),
  }).toMatchInlineSnapshot(`
    {
      "between": [
        "acme/hello:1.0.1 cannot be delivered to ecs: Fargate has no task of 0.25 processors and 3072 MiB",
        "the nearest is deliver.service.cpu: 0.5 and memory: 3072m",
      ],
      "codeDeploy": [
        "acme/hello:1.0.1 cannot be delivered to ecs: the option cluster says nothing: CodeDeploy has its own names for both",
        "remove deliver.targets.ecs.options.cluster",
      ],
      "containers": [
        "acme/hello:1.0.1 cannot be delivered to ecs: web and jobs are containers of a template, and there is none",
        "name your task definition: deliver.targets.ecs.template",
      ],
      "ecr": [
        "acme/hello:1.0.1 cannot be delivered to ecs: Fargate pulls from Amazon ECR with an execution role, and none is named",
        "write deliver.targets.ecs.options.executionRole: arn:aws:iam::123456789012:role/ecsTaskExecutionRole",
      ],
      "huge": [
        "acme/hello:1.0.1 cannot be delivered to ecs: Fargate has no task of 64 processors and 512 MiB",
        "the nearest is deliver.service.cpu: 16 and memory: 122880m",
      ],
      "idle": [
        "acme/hello:1.0.1 cannot be delivered to ecs: the option canaryPercent says nothing: the deployment is rolling",
        "remove deliver.targets.ecs.options.canaryPercent",
      ],
      "memoryless": [
        "acme/hello:1.0.1 cannot be delivered to ecs: ECS needs the memory of each container on EC2",
        "write deliver.service.memory in gbuild.yml: 512m",
        "name your task definition: deliver.targets.ecs.template",
      ],
      "platform": [
        "acme/hello:1.0.1 cannot be delivered to ecs: Fargate runs linux/amd64 and linux/arm64, and the image is for linux/s390x",
        "write deliver.targets.ecs.options.launch: EC2",
      ],
      "port": [
        "acme/hello:1.0.1 cannot be delivered to ecs: the service has no port, and a load balancer needs one",
        "write deliver.service.port in gbuild.yml",
      ],
      "sizeless": [
        "acme/hello:1.0.1 cannot be delivered to ecs: Fargate needs cpu and memory of the service",
        "the nearest is deliver.service.cpu: 0.25 and memory: 512m",
      ],
      "volumes": [
        "acme/hello:1.0.1 cannot be delivered to ecs: Fargate has no folders and no named volumes that outlive a task",
        "name a task definition with efsVolumeConfiguration: deliver.targets.ecs.template",
      ],
    }
  `);
});

test('two volumes never get one name', () => {
  const from = ['a.b', 'a_46_b', 'a-b', 'host_x', 'host__x', '/x', '/x_', '/x/95_', '/x/', '/é', '/😀'];
  const volumes = from.map((each, index) => ({ from: each, to: `/${index}`, readOnly: false }));
  const { 'taskdef.json': text } = renderTexts(ecs, { service: { memory, volumes } });
  const { volumes: named } = JSON.parse(text!) as { volumes: { name: string }[] };
  const names = named.map(({ name }) => name);
  expect(new Set(names).size).toBe(from.length);
  expect(names.filter((name) => !/^[A-Za-z0-9_-]+$/.test(name))).toEqual([]);
});

test('the tool of the API judges the definition, where it is installed', () => {
  expect(ecs.listValidators!([])).toMatchInlineSnapshot(`
    [
      {
        "args": [
          "ecs",
          "register-task-definition",
          "--cli-input-json",
          "file://taskdef.json",
          "--generate-cli-skeleton",
          "output",
          "--region",
          "us-east-1",
        ],
        "program": "aws",
      },
    ]
  `);
});
