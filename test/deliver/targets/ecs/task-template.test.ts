import { expect, test } from 'vitest';
import { ecs } from '../../../../src/deliver/targets/ecs/ecs.ts';
import { errorOf } from '../../../support/assert/error-of.ts';
import { fileTemplate, renderTexts } from '../../delivery-input.ts';

const render = (text: string, options: object = {}, platform = 'linux/amd64') =>
  renderTexts(ecs, { template: fileTemplate('ecs/taskdef.json', text), options, image: { platform } });
const refusal = async (text: string, options?: object) => (await errorOf(() => render(text, options))).message;
const image = `registry.example.com/acme/hello@sha256:${'b'.repeat(64)}`;

test('the image is written into the text of the definition, which keeps all other bytes', () => {
  const template = `{ "family":"web" ,
\t"containerDefinitions" : [
    {"name": "proxy", "image": "proxy:1", "dockerLabels": {"2": "\\u00e9\\/", "1": "b", "__proto__": "c"}},
    {
      "name": "hello",
      "aKeyOfTomorrow": {"x": [1.50, 1e3]},
      "environment": []
    }],
  "cpu": "256"}
`;
  const { 'taskdef.json': text, 'service.json': service } = render(template);
  expect(text).toBe(template.replace('"name": "hello",', `"name": "hello",\n      "image": "${image}",`));
  expect(JSON.parse(service!)).toMatchObject({ taskDefinition: 'web', service: 'hello' });
  for (const empty of ['""', 'null', '"<IMAGE1_NAME>"']) {
    const written = template.replace('"name": "hello",', `"image" :${empty}, "name": "hello",`);
    expect(render(written)['taskdef.json']).toBe(written.replace(empty, `"${image}"`));
  }
});

const described = {
  taskDefinitionArn: 'arn:aws:ecs:eu-west-1:123456789012:task-definition/web:7',
  containerDefinitions: [{ name: 'hello', image: 'registry.example.com/acme/hello:1.0.0', cpu: 0, portMappings: [] }],
  family: 'web',
  revision: 7,
  volumes: [],
  status: 'ACTIVE',
  requiresAttributes: [{ name: 'ecs.capability' }],
  compatibilities: ['EC2'],
  registeredAt: '2026-01-01',
  registeredBy: 'someone',
  deregisteredAt: 0,
};

test('what describe-task-definition answers is stripped to what can be registered, its tags included', () => {
  const wrapped = { taskDefinition: described, tags: [{ key: 'team', value: 'web' }] };
  const texts = [described, wrapped, { taskDefinition: described, tags: [], ResponseMetadata: {} }].map(
    (value) => render(JSON.stringify(value, undefined, 2))['taskdef.json']!,
  );
  expect(texts.map((text) => JSON.stringify(JSON.parse(text)).replaceAll(image, 'IMAGE'))).toMatchInlineSnapshot(`
    [
      "{"containerDefinitions":[{"name":"hello","image":"IMAGE","cpu":0,"portMappings":[]}],"family":"web","volumes":[]}",
      "{"containerDefinitions":[{"name":"hello","image":"IMAGE","cpu":0,"portMappings":[]}],"tags":[{"key":"team","value":"web"}],"family":"web","volumes":[]}",
      "{"containerDefinitions":[{"name":"hello","image":"IMAGE","cpu":0,"portMappings":[]}],"family":"web","volumes":[]}",
    ]
  `);
  expect(texts[0]).toMatchInlineSnapshot(`
    "{
      "containerDefinitions": [
        {
          "name": "hello",
          "image": "registry.example.com/acme/hello@sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb",
          "cpu": 0,
          "portMappings": []
        }
      ],
      "family": "web",
      "volumes": []
    }
    "
  `);
});

test('an image by hand, a container that would stay behind, and one without an image are mistakes', async () => {
  expect(
    await refusal(`{"family": "web", "containerDefinitions": [
  {"name": "hello", "image": "acme/hello:1.0.0"},
  {"name": "jobs", "image": "registry.example.com/acme/hello:1.0.0"},
  {"name": "proxy"}
]}`),
  ).toMatchInlineSnapshot(`
    "3 mistakes in ecs/taskdef.json

      ecs/taskdef.json:2:30  containerDefinitions[0].image: expected no image: gbuild writes acme/hello:1.0.1 here, found "acme/hello:1.0.0"
          1 | {"family": "web", "containerDefinitions": [
        > 2 |   {"name": "hello", "image": "acme/hello:1.0.0"},
            |                              ^^^^^^^^^^^^^^^^^^
        leave the key out, or its value empty

      ecs/taskdef.json:3:29  containerDefinitions[1].image: expected no image of this repository: it would stay behind at each release, found "registry.example.com/acme/hello:1.0.0"
          2 |   {"name": "hello", "image": "acme/hello:1.0.0"},
        > 3 |   {"name": "jobs", "image": "registry.example.com/acme/hello:1.0.0"},
            |                             ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
        name jobs under options.container, too

      ecs/taskdef.json:4:3  containerDefinitions[2].image: expected an image, found none
          3 |   {"name": "jobs", "image": "registry.example.com/acme/hello:1.0.0"},
        > 4 |   {"name": "proxy"}
            |   ^^^^^^^^^^^^^^^^^
        or name proxy under options.container"
  `);
  const both = '{"family": "web", "containerDefinitions": [{"name": "hello"}, {"name": "jobs"}]}';
  const { 'imagedefinitions.json': definitions } = render(both, { container: ['hello', 'jobs'] });
  expect((JSON.parse(definitions!) as { name: string }[]).map(({ name }) => name)).toEqual(['hello', 'jobs']);
});

test('a definition that the API refuses is refused with the place of each mistake', async () => {
  expect(
    await refusal(`{"family": "my web", "cpu": 256, "containerDefinitions": [
  {"name": "hello", "environment": [{"name": "PORT", "value": 80}], "essential": null, "name": "web"}
]}`),
  ).toMatchInlineSnapshot(`
    "one mistake in ecs/taskdef.json

      ecs/taskdef.json:2:12  containerDefinitions[0].name: expected each key once, found "name" twice
          1 | {"family": "my web", "cpu": 256, "containerDefinitions": [
        > 2 |   {"name": "hello", "environment": [{"name": "PORT", "value": 80}], "essential": null, "name": "…
            |            ^^^^^^^"
  `);
  expect(
    await refusal(`{"family": "my web", "cpu": 256, "volumes": [{"efsVolumeConfiguration": {}}], "containerDefinitions": [
  {"name": "hello", "environment": [{"name": "PORT", "value": 80}], "essential": null}
]}`),
  ).toMatchInlineSnapshot(`
    "5 mistakes in ecs/taskdef.json

      ecs/taskdef.json:1:12  family: expected letters, digits, _ and -, at most 255, found "my web"
        > 1 | {"family": "my web", "cpu": 256, "volumes": [{"efsVolumeConfiguration": {}}], "containerDefiniti…
            |            ^^^^^^^^

      ecs/taskdef.json:1:29  cpu: expected a text, found 256
        > 1 | {"family": "my web", "cpu": 256, "volumes": [{"efsVolumeConfiguration": {}}], "containerDefiniti…
            |                             ^^^

      ecs/taskdef.json:1:73  volumes[0].efsVolumeConfiguration.fileSystemId is missing: expected a text
        > 1 | …y": "my web", "cpu": 256, "volumes": [{"efsVolumeConfiguration": {}}], "containerDefinitions": [
            |                                                                   ^^

      ecs/taskdef.json:2:63  containerDefinitions[0].environment[0].value: expected a text, found 80
          1 | {"family": "my web", "cpu": 256, "volumes": [{"efsVolumeConfiguration": {}}], "containerDefiniti
        > 2 |   {"name": "hello", "environment": [{"name": "PORT", "value": 80}], "essential": null}
            |                                                               ^^

      ecs/taskdef.json:2:82  containerDefinitions[0].essential: expected true or false, found null
          1 | {"family": "my web", "cpu": 256, "volumes": [{"efsVolumeConfiguration": {}}], "containerDefiniti
        > 2 |   {"name": "hello", "environment": [{"name": "PORT", "value": 80}], "essential": null}
            |                                                                                  ^^^^"
  `);
  expect(await refusal('{"family": "web",\n "containerDefinitions": [],\n}')).toMatchInlineSnapshot(`
    "one mistake in ecs/taskdef.json

      ecs/taskdef.json:1:1  expected JSON, found Expected double-quoted property name in JSON at position 47 (line 3 column 1)
        > 1 | {"family": "web",
            | ^^^^^^^^^^^^^^^^^"
  `);
  expect(await refusal('family: web')).toMatchInlineSnapshot(`
    "one mistake in ecs/taskdef.json

      ecs/taskdef.json:1:1  expected JSON, found Unexpected token 'm', "family: web" is not valid JSON
        > 1 | family: web
            | ^^^^^^^^^^^"
  `);
  expect(await refusal('[]')).toMatchInlineSnapshot(`
    "one mistake in ecs/taskdef.json

      ecs/taskdef.json:1:1  expected an object, found []
        > 1 | []
            | ^^"
  `);
  expect(
    await refusal('{"taskDefinition": {"family": "web", "containerDefinitions": [{"name": "hello"}]}, "failures": []}'),
  ).toMatchInlineSnapshot(`
    "one mistake in ecs/taskdef.json

      ecs/taskdef.json:1:96  failures: expected taskDefinition and tags, as describe-task-definition answers, found "failures"
        > 1 | …taskDefinition": {"family": "web", "containerDefinitions": [{"name": "hello"}]}, "failures": []}
            |                                                                                               ^^
        move it into taskDefinition, or remove it"
  `);
  const wrapped = { taskDefinition: { family: 'web', containerDefinitions: [{ name: 'hello' }] } };
  expect(await refusal(JSON.stringify({ ...wrapped, tags: [''] }))).toMatchInlineSnapshot(`
    "one mistake in ecs/taskdef.json

      ecs/taskdef.json:1:86  tags[0]: expected an object, found ""
        > 1 | {"taskDefinition":{"family":"web","containerDefinitions":[{"name":"hello"}]},"tags":[""]}
            |                                                                                      ^^"
  `);
  const tagged = { taskDefinition: { ...wrapped.taskDefinition, tags: [] }, tags: [] };
  expect(await refusal(JSON.stringify(tagged))).toMatchInlineSnapshot(`
    "one mistake in ecs/taskdef.json

      ecs/taskdef.json:1:95  tags: expected taskDefinition and tags, as describe-task-definition answers, found "tags"
        > 1 | …"taskDefinition":{"family":"web","containerDefinitions":[{"name":"hello"}],"tags":[]},"tags":[]}
            |                                                                                               ^^
        move it into taskDefinition, or remove it"
  `);
  expect(await refusal('{"family": "web", "containerDefinitions": [{"name": "api"}]}')).toMatchInlineSnapshot(
    `"acme/hello:1.0.1 cannot be delivered to ecs: ecs/taskdef.json has no container hello; it has api"`,
  );
});

test('a definition for Fargate has one of its sizes, its network, and the architecture of the image', async () => {
  const fargate = (changes: object) =>
    JSON.stringify({
      family: 'web',
      requiresCompatibilities: ['FARGATE'],
      networkMode: 'awsvpc',
      cpu: '.25 vCPU',
      memory: '0.5 GB',
      containerDefinitions: [{ name: 'hello' }],
      ...changes,
    });
  expect(render(fargate({}))['taskdef.json']).toContain(image);
  expect(await refusal(fargate({ cpu: '512', memory: '512' }))).toMatchInlineSnapshot(`
    "one mistake in ecs/taskdef.json

      ecs/taskdef.json:1:99  memory: expected a size of Fargate, of which cpu "512" with memory "1024" is the nearest, found "512"
        > 1 | …E"],"networkMode":"awsvpc","cpu":"512","memory":"512","containerDefinitions":[{"name":"hello"}]}
            |                                                  ^^^^^"
  `);
  expect(await refusal(fargate({ cpu: '256', memory: '3072' }))).toMatchInlineSnapshot(`
    "one mistake in ecs/taskdef.json

      ecs/taskdef.json:1:84  cpu: expected a size of Fargate, of which cpu "512" with memory "3072" is the nearest, found "256"
        > 1 | …ities":["FARGATE"],"networkMode":"awsvpc","cpu":"256","memory":"3072","containerDefinitions":[{"…
            |                                                  ^^^^^"
  `);
  expect(await refusal(fargate({ cpu: 'some', networkMode: 'bridge' }))).toMatchInlineSnapshot(`
    "2 mistakes in ecs/taskdef.json

      ecs/taskdef.json:1:69  networkMode: expected awsvpc, which Fargate needs, found "bridge"
        > 1 | …uiresCompatibilities":["FARGATE"],"networkMode":"bridge","cpu":"some","memory":"0.5 GB","contain…
            |                                                  ^^^^^^^^

      ecs/taskdef.json:1:84  cpu: expected units such as 256, or .25 vCPU, found "some"
        > 1 | …ities":["FARGATE"],"networkMode":"bridge","cpu":"some","memory":"0.5 GB","containerDefinitions":…
            |                                                  ^^^^^^"
  `);
  expect(await refusal(fargate({ runtimePlatform: { cpuArchitecture: 'ARM64' } }))).toMatchInlineSnapshot(`
    "one mistake in ecs/taskdef.json

      ecs/taskdef.json:1:192  runtimePlatform.cpuArchitecture: expected X86_64: the image is for linux/amd64, found ARM64
        > 1 | …0.5 GB","containerDefinitions":[{"name":"hello"}],"runtimePlatform":{"cpuArchitecture":"ARM64"}}
            |                                                                                         ^^^^^^^"
  `);
  const plain = '{"family": "web", "containerDefinitions": [{"name": "hello"}]}';
  expect(render(plain)['taskdef.json']).toContain(image);
  expect(await refusal(plain, { launch: 'FARGATE' })).toMatchInlineSnapshot(`
    "2 mistakes in ecs/taskdef.json

      ecs/taskdef.json:1:1  cpu is missing: expected a size of Fargate, of which cpu "256" with memory "512" is the nearest
        > 1 | {"family": "web", "containerDefinitions": [{"name": "hello"}]}
            | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^

      ecs/taskdef.json:1:1  networkMode is missing: expected awsvpc, which Fargate needs
        > 1 | {"family": "web", "containerDefinitions": [{"name": "hello"}]}
            | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^"
  `);
});

test('the port of a load balancer is the one of the container', async () => {
  const ports = (...numbers: number[]) =>
    JSON.stringify({
      family: 'web',
      containerDefinitions: [{ name: 'hello', portMappings: numbers.map((containerPort) => ({ containerPort })) }],
    });
  const options = { deployment: 'blue-green' };
  const portOf = (...numbers: number[]) =>
    /ContainerPort: (\d+)/.exec(render(ports(...numbers), options)['appspec.yaml']!)?.[1];
  expect([portOf(80), portOf(80, 8080)]).toEqual(['80', '8080']);
  expect(await refusal(ports(80, 81), options)).toMatchInlineSnapshot(
    `"acme/hello:1.0.1 cannot be delivered to ecs: the container hello has the ports 80, 81, and a load balancer needs one"`,
  );
});
