import { expect, test } from 'vitest';
import { nova } from '../../../../src/deliver/targets/nova/nova.ts';
import { errorOf } from '../../../support/assert/error-of.ts';
import { renderTexts } from '../../delivery-input.ts';
import { oddTexts, readArray } from '../../revision/bash-words.ts';
import { novaTemplate, novaText } from './nova-yml.ts';

test('the bundle has the image under the tag of the service, the scripts, and the variables of each stack', () => {
  const texts = renderTexts(nova, { template: novaTemplate() });
  expect(Object.keys(texts)).toEqual([
    'appspec.yml',
    'common_functions.sh',
    'cleanup_space.sh',
    'deregister_from_elb.sh',
    'kill_docker_container.sh',
    'load_docker_container.sh',
    'start_docker_container.sh',
    'register_with_elb.sh',
    'validate_service.sh',
    'docker/hello-1.0.1-docker-image.tar.gz',
    'env-vars/production/set-env-vars.sh',
    'env-vars/live-canary/set-env-vars.sh',
  ]);
  expect(JSON.parse(texts['docker/hello-1.0.1-docker-image.tar.gz']!)).toMatchObject({ tags: ['hello:1.0.1'] });
  expect(texts['appspec.yml']).toMatchInlineSnapshot(`
    "version: 0.0
    os: linux
    files:
      - source: docker/hello-1.0.1-docker-image.tar.gz
        destination: /tmp
      - source: env-vars/production/set-env-vars.sh
        destination: /opt/nova/environments/production
      - source: env-vars/live-canary/set-env-vars.sh
        destination: /opt/nova/environments/live-canary
    hooks:
      ApplicationStop:
        - location: cleanup_space.sh
          timeout: 300
      BeforeInstall:
        - location: deregister_from_elb.sh
        - location: kill_docker_container.sh
          timeout: 300
      AfterInstall:
        - location: load_docker_container.sh
      ApplicationStart:
        - location: start_docker_container.sh
          timeout: 300
        - location: register_with_elb.sh
      ValidateService:
        - location: validate_service.sh
    "
  `);
  expect(texts['common_functions.sh']?.split('\n').slice(4, 14)).toMatchInlineSnapshot(`
    [
      "",
      "service=hello",
      "image=hello:1.0.1",
      "port=8080",
      "health_url=http://localhost:8080/health",
      "attempts=30",
      "interval=10",
      "archive=/tmp/hello-1.0.1-docker-image.tar.gz",
      "image_id=sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
      "environments=/opt/nova/environments",
    ]
  `);
});

test('each value of a stack is one word, as it was written', () => {
  const variables = oddTexts.map((text, index) => `        - KEY_${index}: ${JSON.stringify(text)}\n`).join('');
  const settings = `      deployment_options:
        - --log-driver: json-file
        - --label: &label "a 'b' $c"
      deployment_volumes:
        - /srv/my data: /data:ro
      deployment_variables:
        - ON: yes
        - VERSION: 1.10
        - MODE: 0644
        - LABEL: *label
${variables}      deployment_arguments:
        - --level: 07
`;
  const script = renderTexts(nova, { template: novaTemplate({ settings }) })['env-vars/production/set-env-vars.sh']!;
  expect(readArray(script, 'DOCKER_OPTS')).toEqual(['--log-driver=json-file', `--label=a 'b' $c`]);
  expect(readArray(script, 'DOCKER_VOLS')).toEqual(['--volume', '/srv/my data:/data:ro']);
  expect(readArray(script, 'DOCKER_ARGS')).toEqual(['--level=07']);
  const plain = ['ON=yes', 'VERSION=1.10', 'MODE=0644', `LABEL=a 'b' $c`];
  const expected = [...plain, ...oddTexts.map((text, index) => `KEY_${index}=${text}`)];
  expect(readArray(script, 'DOCKER_VARS')).toEqual(expected.flatMap((word) => ['--env', word]));
});

test('what gbuild.yml says of the service comes first, so that nova.yml has the last word', () => {
  const service = {
    env: { GREETING: "it's $5" },
    memory: 512 * 1024 ** 2,
    cpu: 0.5,
    args: ['a b'],
    volumes: [{ from: 'data', to: '/data', readOnly: true }],
  };
  const settings = '      deployment_variables:\n        - GREETING: other\n';
  const texts = renderTexts(nova, { service, template: novaTemplate({ settings }) });
  const read = (type: string, name: string) => readArray(texts[`env-vars/${type}/set-env-vars.sh`]!, name);
  expect(read('production', 'DOCKER_VARS')).toEqual(['--env', "GREETING=it's $5", '--env', 'GREETING=other']);
  expect(read('production', 'DOCKER_OPTS')).toEqual(['--memory', '536870912', '--cpus', '0.5']);
  expect(read('live-canary', 'DOCKER_VOLS')).toEqual(['--volume', 'data:/data:ro']);
  expect(read('live-canary', 'DOCKER_ARGS')).toEqual(['a b']);
});

const refuse = (text: string, described: object = {}) =>
  errorOf(() =>
    renderTexts(nova, { template: { path: 'nova.yml', files: new Map([['nova.yml', text]]) }, ...described }),
  );

test('a nova.yml that Nova would refuse is refused, each mistake with its place', async () => {
  const settings = `      deployment_options: --init
      deployment_variables:
        - A:
        - [B, c]
        - "C=D": e
      deployment_arguments:
        - list: [1]
`;
  const text = novaText({ settings })
    .replace('team_name: platform\n', 'team: platform\n')
    .replace('port: 8080', 'port: "8080"')
    .replace('/health', 'health');
  expect(await refuse(text)).toMatchInlineSnapshot(`
    {
      "code": "template-invalid",
      "message": "8 mistakes in nova.yml

      nova.yml:1:1  team_name is missing: expected a text
        > 1 | service_name: hello
            | ^^^^^^^^^^^^^^^^^^^

      nova.yml:2:7  team: expected a key that Nova knows, found "team"
          1 | service_name: hello
        > 2 | team: platform
            |       ^^^^^^^^

      nova.yml:3:7  port: expected a port from 1 to 65535, found "8080"
          2 | team: platform
        > 3 | port: "8080"
            |       ^^^^^^

      nova.yml:4:18  healthcheck_url: expected the path of a URL such as /health, found "health"
          3 | port: "8080"
        > 4 | healthcheck_url: health
            |                  ^^^^^^

      nova.yml:17:27  environments[0].stacks[0].deployment_options: expected a list of mappings, found "--init"
          16 |       deployment_group: production
        > 17 |       deployment_options: --init
             |                           ^^^^^^

      nova.yml:19:13  environments[0].stacks[0].deployment_variables[0].A: expected a value; "" for an empty one, found null
          18 |       deployment_variables:
        > 19 |         - A:
             |             ^

      nova.yml:20:11  environments[0].stacks[0].deployment_variables[1]: expected a mapping such as KEY: value, found a list
          19 |         - A:
        > 20 |         - [B, c]
             |           ^^^^^^

      nova.yml:21:18  environments[0].stacks[0].deployment_variables[2]["C=D"]: expected a key without =, found "C=D"
          20 |         - [B, c]
        > 21 |         - "C=D": e
             |                  ^",
      "suggestions": [],
    }
  `);
  expect(
    await refuse(novaText({ settings: '      deployment_arguments:\n        - list: [1]\n' })),
  ).toMatchInlineSnapshot(`
    {
      "code": "template-invalid",
      "message": "one mistake in nova.yml

      nova.yml:18:17  environments[0].stacks[0].deployment_arguments[0].list: expected one value, found a list
          17 |       deployment_arguments:
        > 18 |         - list: [1]
             |                 ^^^",
      "suggestions": [],
    }
  `);
  // Nova's YAML is of version 1.1, in which yes is no text.
  expect(await refuse(novaText().replace('platform', 'yes'))).toMatchInlineSnapshot(`
    {
      "code": "template-invalid",
      "message": "one mistake in nova.yml

      nova.yml:2:12  team_name: expected a text, found true
          1 | service_name: hello
        > 2 | team_name: yes
            |            ^^^",
      "suggestions": [],
    }
  `);
  expect(await refuse('- 1\n')).toMatchInlineSnapshot(`
    {
      "code": "template-invalid",
      "message": "one mistake in nova.yml

      nova.yml:1:1  expected a mapping, found a list
        > 1 | - 1
            | ^^^",
      "suggestions": [],
    }
  `);
});

test('a service of another name or port is refused', async () => {
  expect(await refuse(novaText({ serviceName: 'other', port: 9000 }))).toMatchInlineSnapshot(`
    {
      "code": "template-invalid",
      "message": "2 mistakes in nova.yml

      nova.yml:1:15  service_name: expected acme/hello or hello, found "other"
        > 1 | service_name: other
            |               ^^^^^
        deliver.service.name of gbuild.yml is the name of the service: other

      nova.yml:3:7  port: expected 8080, the port of the service: Nova publishes it as itself, found 9000
          2 | team_name: platform
        > 3 | port: 9000
            |       ^^^^
        where it listens on 9000, write deliver.service.port: 9000 in gbuild.yml",
      "suggestions": [],
    }
  `);
  expect(
    renderTexts(nova, { template: novaTemplate({ serviceName: 'api' }), service: { name: 'api' } }),
  ).toHaveProperty('docker/api-1.0.1-docker-image.tar.gz');
});

const second = `- name: west
  aws_profile: default
  aws_region: us-west-2
  deploy_arn: arn:aws:iam::123456789012:role/deploy
  deployment_bucket: west
  stacks:
    - stack_name: prod-west
      stack_type: production
      stack_deploy_config: OneAtATime
      deployment_variables:
        - REGION: us-west-2
`;

test('a type of stack means one thing in a bundle; an environment can be chosen', async () => {
  expect(await refuse(novaText({ more: second }))).toMatchInlineSnapshot(`
    {
      "code": "template-invalid",
      "message": "one mistake in nova.yml

      nova.yml:28:19  environments[1].stacks[0].stack_type: expected the settings that main has for it, found "production"
          27 |     - stack_name: prod-west
        > 28 |       stack_type: production
             |                   ^^^^^^^^^^
        name one environment: options: { environment: main }",
      "suggestions": [],
    }
  `);
  const template = novaTemplate({ more: second });
  const texts = renderTexts(nova, { template, options: { environment: 'west' } });
  expect(Object.keys(texts).filter((path) => path.startsWith('env-vars'))).toEqual([
    'env-vars/production/set-env-vars.sh',
  ]);
  expect(readArray(texts['env-vars/production/set-env-vars.sh']!, 'DOCKER_VARS')).toEqual([
    '--env',
    'REGION=us-west-2',
  ]);
  const same = second.replace(/ {6}deployment_variables:\n.*\n/, '');
  expect(Object.keys(renderTexts(nova, { template: novaTemplate({ more: same }) }))).toContain(
    'env-vars/production/set-env-vars.sh',
  );
  expect(await refuse(novaText().replace('live-canary', 'production'))).toMatchInlineSnapshot(`
    {
      "code": "template-invalid",
      "message": "one mistake in nova.yml

      nova.yml:18:19  environments[0].stacks[1].stack_type: expected a type that no other stack has, found "production"
          17 |     - stack_name: canary
        > 18 |       stack_type: production
             |                   ^^^^^^^^^^",
      "suggestions": [],
    }
  `);
  expect(await refuse(novaText(), { options: { environment: 'east' } })).toMatchInlineSnapshot(`
    {
      "code": "template-invalid",
      "message": "one mistake in nova.yml

      nova.yml:6:1  environments: expected an environment "east", found main
          5 | environments:
        > 6 | - name: main
            | ^^^^^^^^^^^^
        options.environment of the target names it",
      "suggestions": [],
    }
  `);
});

test("the repository's own scripts run after those of the bundle", async () => {
  const files = new Map([
    ['nova.yml', novaText()],
    ['nova-scripts/ApplicationStart/warm.sh', '#!/bin/sh\n'],
    ['nova-scripts/ApplicationStart/lib/tool.sh', '#!/bin/sh\n'],
    ['nova-scripts/README.md', 'read me\n'],
  ]);
  const texts = renderTexts(nova, { template: { path: 'nova.yml', files } });
  expect([texts['warm.sh'], texts['lib/tool.sh'], texts['README.md']]).toEqual([
    '#!/bin/sh\n',
    '#!/bin/sh\n',
    undefined,
  ]);
  expect(texts['appspec.yml']).toContain('    - location: register_with_elb.sh\n    - location: warm.sh\n');
  files.set('nova-scripts/ValidateService/validate_service.sh', 'exit 0\n');
  expect(await errorOf(() => renderTexts(nova, { template: { path: 'nova.yml', files } }))).toMatchInlineSnapshot(`
    {
      "code": "delivery-refused",
      "message": "acme/hello:1.0.1 cannot be delivered to nova: nova-scripts/ValidateService/validate_service.sh and gbuild's own would both be validate_service.sh in the bundle",
      "suggestions": [
        "give nova-scripts/ValidateService/validate_service.sh another name",
      ],
    }
  `);
});

test('a local image is an archive with the only tag that Nova looks for', async () => {
  const files = nova.render({
    image: (await import('../../delivery-input.ts')).image,
    service: { name: 'hello', env: {}, volumes: [] },
    options: nova.options.parse({ local: true }),
    template: novaTemplate(),
    target: 'nova',
  });
  expect(files).toEqual([{ kind: 'docker-archive', path: 'hello-1.0.1-docker-image.tar', tags: ['hello:1.0.1'] }]);
  expect(nova.findOnlyTag?.(files)).toBe('hello:1.0.1');
  expect(
    await refuse(novaText(), { options: { local: true }, service: { env: { A: 'b' }, cpu: 1 } }),
  ).toMatchInlineSnapshot(`
    {
      "code": "delivery-refused",
      "message": "acme/hello:1.0.1 cannot be delivered to nova: Nova makes the bundle of a local image from nova.yml alone, and deliver.service has cpu, env",
      "suggestions": [
        "write it in nova.yml, or leave options.local out: then gbuild makes the bundle",
      ],
    }
  `);
});
