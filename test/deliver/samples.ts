/** Templates of repositories for the systems that take deliveries. Each kind of target is given all of them. */
export const sampleTemplates: readonly string[] = [
  JSON.stringify(
    {
      family: 'hello',
      networkMode: 'awsvpc',
      requiresCompatibilities: ['FARGATE'],
      cpu: '256',
      memory: '512',
      containerDefinitions: [
        {
          name: 'hello',
          essential: true,
          portMappings: [{ containerPort: 8080, protocol: 'tcp' }],
          environment: [{ name: 'GREETING', value: 'hi' }],
          logConfiguration: { logDriver: 'awslogs', options: { 'awslogs-group': '/hello' } },
          healthCheck: { command: ['CMD', 'true'], interval: 30 },
          ulimits: [{ name: 'nofile', softLimit: 1, hardLimit: 2 }],
        },
        { name: 'proxy', image: 'proxy:1', dependsOn: [{ containerName: 'hello', condition: 'START' }] },
      ],
      volumes: [{ name: 'data', efsVolumeConfiguration: { fileSystemId: 'fs-1' } }],
      tags: [{ key: 'team', value: 'web' }],
    },
    undefined,
    2,
  ),
  JSON.stringify({
    taskDefinition: {
      taskDefinitionArn: 'arn:aws:ecs:eu-west-1:123456789012:task-definition/hello:7',
      containerDefinitions: [{ name: 'hello', image: 'acme/hello:1.0.0', memory: 512, mountPoints: [] }],
      family: 'hello',
      revision: 7,
      volumes: [],
      registeredAt: 1700000000.5,
    },
    tags: [{ key: 'team', value: 'web' }],
  }),
  'services:\n  hello: &hello\n    ports: ["80:8080"]\n    environment: {A: b}\n  other:\n    <<: *hello\n    image: other:1\n',
  `apiVersion: apps/v1
kind: Deployment
metadata: {name: hello}
spec:
  template:
    spec:
      containers:
        - name: hello
          image: acme/hello
          ports: [{containerPort: 8080}]
---
apiVersion: v1
kind: Service
metadata: {name: hello}
`,
  'image:\n  repository: ""\n  tag: ""\nreplicaCount: 2\n',
  JSON.stringify({
    process_definition_name: 'hello',
    overlap_action: 'wait',
    schedule: { cron_schedule: { day_of_week: '*', month: '*', day_of_month: '*', hours: '1', minutes: '0' } },
    task_definitions: [
      {
        task_definition_name: 'hello',
        dependencies: [],
        executable: { batch_image_command: { command: ['run'], vCpus: 1, memory: 512 } },
        max_attempts: 1,
      },
    ],
  }),
  `service_name: hello
team_name: web
port: 8080
healthcheck_url: /health
environments:
  - name: production
    aws_profile: web
    aws_region: eu-west-1
    deploy_arn: arn:aws:iam::123456789012:role/deploy
    deployment_bucket: web
    deployment_application_id: web
    stacks:
      - stack_name: web
        stack_type: production
        deployment_group: web
        deployment_variables: [{GREETING: it is me}]
`,
  'service: hello\nservers:\n  web:\n    hosts: [192.0.2.1]\nregistry: {username: me, password: [PASSWORD]}\nbuilder: {arch: amd64}\n',
];
