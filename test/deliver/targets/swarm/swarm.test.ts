import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { swarm } from '../../../../src/deliver/targets/swarm/swarm.ts';
import { errorOf } from '../../../support/assert/error-of.ts';
import { awkward, type Described, fileTemplate, image, renderTexts } from '../../delivery-input.ts';

const render = (described?: Described) => renderTexts(swarm, described)['stack.yml']!;
const healthcheck = { Test: ['CMD', 'wget', '-q', 'http://localhost/'] };

test('without a template a whole stack is written', () => {
  const service = {
    health: '/health',
    env: { GREETING: 'it costs $5' },
    args: ['--name', 'a b'],
    cpu: 0.5,
    memory: 512 * 1024 ** 2,
    volumes: [{ from: 'data', to: '/data', readOnly: true }],
  };
  const config = { ...image.config, Healthcheck: healthcheck };
  expect(render({ service, image: { config }, options: { replicas: 2, publish: 80 } })).toMatchInlineSnapshot(`
    "version: "3.8"
    services:
      hello:
        image: registry.example.com/acme/hello@sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb
        command:
          - --name
          - a b
        environment:
          GREETING: it costs $$5
        volumes:
          - data:/data:ro
        ports:
          - target: 8080
            published: 80
            protocol: tcp
            mode: ingress
        deploy:
          replicas: 2
          update_config:
            order: start-first
            failure_action: rollback
          rollback_config:
            order: start-first
          resources:
            limits:
              cpus: "0.5"
              memory: 536870912b
    volumes:
      data: {}
    "
  `);
});

test('a new task waits for the old one where both would have one port of a node, or write to one volume', () => {
  const orderOf = (described: Described) => parse(render(described)).services.hello.deploy.update_config.order;
  const volumes = [{ from: 'data', to: '/data', readOnly: false }];
  expect([orderOf({}), orderOf({ options: { ports: 'host' } }), orderOf({ service: { volumes } })]).toEqual([
    'start-first',
    'stop-first',
    'stop-first',
  ]);
});

test('each value comes out as it went in, with its dollars escaped', () => {
  const { environment, command } = parse(render({ service: { env: awkward, args: Object.values(awkward) } }), {
    version: '1.1',
  }).services.hello;
  const escaped = Object.values(awkward).map((value) => value.replaceAll('$', '$$$$'));
  expect(Object.values(environment)).toEqual(escaped);
  expect(command).toEqual(escaped);
});

test('a path of HTTP needs a command in the container, unless none is asked for', async () => {
  const service = { health: '/health' };
  expect(await errorOf(() => render({ service }))).toMatchInlineSnapshot(`
    {
      "code": "delivery-refused",
      "message": "acme/hello:1.0.1 cannot be delivered to swarm: Swarm cannot ask /health: it runs a command in the container, and the image has none",
      "suggestions": [
        "write image.health in gbuild.yml, and release again",
        "write deliver.targets.swarm.options.healthcheck: a command that the image has, or false for none",
      ],
    }
  `);
  const healthOf = (healthcheck: unknown) =>
    parse(render({ service, options: { healthcheck } })).services.hello.healthcheck;
  expect([healthOf(false), healthOf(['check', '$HOME'])]).toEqual([
    { disable: true },
    { test: ['CMD', 'check', '$$HOME'] },
  ]);
});

test('a stack of the repository gets an override of its version', async () => {
  const template = fileTemplate('stack.yml', 'version: "3.7"\nservices:\n  hello: {deploy: {replicas: 3}}\n');
  expect(renderTexts(swarm, { template })).toMatchInlineSnapshot(`
    {
      "stack.override.yml": "version: "3.7"
    services:
      hello:
        image: registry.example.com/acme/hello@sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb
    ",
    }
  `);
  const plain = fileTemplate('stack.yml', 'services: {web: {}}\n');
  expect(renderTexts(swarm, { template: plain, options: { service: 'web' } })['stack.override.yml']).not.toContain(
    'version',
  );
  expect(await errorOf(() => renderTexts(swarm, { template, options: { replicas: 2 } }))).toMatchInlineSnapshot(`
    {
      "code": "delivery-refused",
      "message": "acme/hello:1.0.1 cannot be delivered to swarm: options.replicas is for a stack that gbuild writes; here stack.yml says it",
      "suggestions": [
        "say it in stack.yml, and leave deliver.targets.swarm.options.replicas out",
      ],
    }
  `);
  const byHand = fileTemplate('stack.yml', 'services:\n  hello: {image: "acme/hello:1.0.0"}\n');
  expect((await errorOf(() => renderTexts(swarm, { template: byHand })))?.message).toMatchInlineSnapshot(`
    "one mistake in stack.yml

      stack.yml:2:18  services.hello.image: expected no image: gbuild writes acme/hello:1.0.1 here, found "acme/hello:1.0.0"
          1 | services:
        > 2 |   hello: {image: "acme/hello:1.0.0"}
            |                  ^^^^^^^^^^^^^^^^^^
        leave the key out, or its value empty"
  `);
});
