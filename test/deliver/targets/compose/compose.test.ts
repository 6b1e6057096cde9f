import { expect, test } from 'vitest';
import { compose } from '../../../../src/deliver/targets/compose/compose.ts';
import { errorOf } from '../../../support/assert/error-of.ts';
import { fileTemplate, renderTexts } from '../../delivery-input.ts';

test('without a template the whole file is written', () => {
  const service = {
    env: { GREETING: 'it costs $5', EMPTY: '' },
    args: ['--name', 'a b'],
    cpu: 0.5,
    memory: 512 * 1024 ** 2,
    volumes: [
      { from: 'data', to: '/data', readOnly: false },
      { from: '/srv', to: '/srv', readOnly: true },
    ],
  };
  expect(renderTexts(compose, { service, options: { publish: 80 } })['compose.yml']).toMatchInlineSnapshot(`
    "services:
      hello:
        image: registry.example.com/acme/hello@sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb
        restart: unless-stopped
        command:
          - --name
          - a b
        environment:
          GREETING: it costs $$5
          EMPTY: ""
        volumes:
          - data:/data
          - /srv:/srv:ro
        ports:
          - 80:8080
        cpus: 0.5
        mem_limit: 536870912
    volumes:
      data: {}
    "
  `);
});

test('a file of the repository gets an override for its service', async () => {
  const template = fileTemplate('compose.yml', 'services:\n  web: &web {ports: [80]}\n  hello: {<<: *web}\n');
  expect(renderTexts(compose, { template })).toMatchInlineSnapshot(`
    {
      "compose.override.yml": "services:
      hello:
        image: registry.example.com/acme/hello@sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb
    ",
    }
  `);
  expect(await errorOf(() => renderTexts(compose, { template, options: { service: 'api' } }))).toMatchInlineSnapshot(`
    {
      "code": "delivery-refused",
      "message": "acme/hello:1.0.1 cannot be delivered to compose: compose.yml has no service api; it has web, hello",
      "suggestions": [
        "say which one it is: deliver.targets.compose.options.service",
      ],
    }
  `);
});

test('a template that names the image by hand, builds it, or is no YAML is refused with its place', async () => {
  const render = (text: string) => errorOf(() => renderTexts(compose, { template: fileTemplate('compose.yml', text) }));
  expect(await render('services:\n  hello:\n    image: acme/hello:1.0.0\n    build: .\n')).toMatchInlineSnapshot(`
    {
      "code": "template-invalid",
      "message": "2 mistakes in compose.yml

      compose.yml:3:12  services.hello.image: expected no image: gbuild writes acme/hello:1.0.1 here, found "acme/hello:1.0.0"
          2 |   hello:
        > 3 |     image: acme/hello:1.0.0
            |            ^^^^^^^^^^^^^^^^
        leave the key out, or its value empty

      compose.yml:4:12  services.hello.build: expected no build beside a released image: compose would build where it cannot pull, found a build
          3 |     image: acme/hello:1.0.0
        > 4 |     build: .
            |            ^
        move it to a compose file for development",
      "suggestions": [],
    }
  `);
  expect(await render('services: [')).toMatchInlineSnapshot(`
    {
      "code": "template-invalid",
      "message": "one mistake in compose.yml

      compose.yml:1:12  expected JSON or YAML, found Flow sequence in block collection must be sufficiently indented and end with a ]
        > 1 | services: [
            |            ^",
      "suggestions": [],
    }
  `);
});
