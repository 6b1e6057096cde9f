import { expect, test } from 'vitest';
import { helm } from '../../../../src/deliver/targets/helm/helm.ts';
import { errorOf } from '../../../support/assert/error-of.ts';
import { fileTemplate, folderTemplate, renderTexts } from '../../delivery-input.ts';

const render = (options: object = {}, values?: string) =>
  renderTexts(helm, { options, ...(values !== undefined && { template: fileTemplate('chart/values.yaml', values) }) })[
    'values.gbuild.yaml'
  ];

test('without a template the values are those of a chart as helm create makes it', () => {
  expect(render()).toMatchInlineSnapshot(`
    "image:
      repository: registry.example.com/acme/hello
      tag: 1.0.1@sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb
    "
  `);
});

test('a chart says by its values which keys it has', () => {
  expect(render({}, 'image: {repository: nginx, tag: ""}\n')).toBe(render());
  expect(render({}, 'base: &base {repository: nginx, tag: ""}\nimage: *base\n')).toBe(render());
  expect(render({}, 'image: {repository: nginx, tag: "", digest: ""}\n')).toMatchInlineSnapshot(`
    "image:
      repository: registry.example.com/acme/hello
      tag: 1.0.1
      digest: sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb
    "
  `);
  expect(render({}, 'image: {registry: docker.io, repository: nginx, digest:}\n')).toMatchInlineSnapshot(`
    "image:
      registry: registry.example.com
      repository: acme/hello
      digest: sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb
    "
  `);
  const template = folderTemplate('chart', { 'values.yaml': 'image: {repository: x, tag: y}\n' });
  expect(renderTexts(helm, { template })['values.gbuild.yaml']).toBe(render());
});

test('options name other keys, several of them, and keys with dots', () => {
  expect(render({ image: ['web.image', 'jobs.a\\.b.image'] })).toMatchInlineSnapshot(`
    "web:
      image: registry.example.com/acme/hello@sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb
    jobs:
      a.b:
        image: registry.example.com/acme/hello@sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb
    "
  `);
  expect(render({ registry: 'global.host', repository: 'web.name', digest: 'web.sha' })).toMatchInlineSnapshot(`
    "global:
      host: registry.example.com
    web:
      name: acme/hello
      sha: sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb
    "
  `);
  expect(render({ image: '__proto__.image' })).toContain(
    '__proto__:\n  image: registry.example.com/acme/hello@sha256:',
  );
});

test('a key that the chart does not have is a mistake with its place', async () => {
  const refuse = async (options: object, values: string) => (await errorOf(() => render(options, values)))?.message;
  expect(await refuse({}, 'web:\n  image: {repository: nginx, tag: ""}\n')).toMatchInlineSnapshot(`
    "2 mistakes in chart/values.yaml

      chart/values.yaml:1:1  image.repository is missing: expected a key that the chart has
        > 1 | web:
            | ^^^^
        say in options which keys of the values have the image: image, registry, repository, digest, tag

      chart/values.yaml:1:1  image.tag is missing: expected a key that the chart has
        > 1 | web:
            | ^^^^
        say in options which keys of the values have the image: image, registry, repository, digest, tag"
  `);
  expect(await refuse({ image: 'web.image' }, 'web:\n  image: {repository: nginx}\n')).toMatchInlineSnapshot(`
    "one mistake in chart/values.yaml

      chart/values.yaml:2:10  web.image: expected a text, found a mapping or a list
          1 | web:
        > 2 |   image: {repository: nginx}
            |          ^^^^^^^^^^^^^^^^^^^
        say in options which keys of the values have the image: image, registry, repository, digest, tag"
  `);
  expect(await refuse({ image: 'web.image' }, 'web: [{image: nginx}]\n')).toMatchInlineSnapshot(`
    "one mistake in chart/values.yaml

      chart/values.yaml:1:6  web.image is missing: expected a key that the chart has
        > 1 | web: [{image: nginx}]
            |      ^^^^^^^^^^^^^^^^
        say in options which keys of the values have the image: image, registry, repository, digest, tag"
  `);
  expect(await refuse({ image: 'web.image' }, 'web: &a {tag: *b}\n')).toMatchInlineSnapshot(`
    "one mistake in chart/values.yaml

      chart/values.yaml:1:1  expected aliases that can be resolved, found Unresolved alias (the anchor must be set before the alias): b
        > 1 | web: &a {tag: *b}
            | ^"
  `);
  expect(await errorOf(() => render({}, 'image: {repository: nginx}\n'))).toMatchInlineSnapshot(`
    {
      "code": "template-invalid",
      "message": "one mistake in chart/values.yaml

      chart/values.yaml:1:8  image.tag is missing: expected a key that the chart has, such as repository
        > 1 | image: {repository: nginx}
            |        ^^^^^^^^^^^^^^^^^^^
        say in options which keys of the values have the image: image, registry, repository, digest, tag",
      "suggestions": [],
    }
  `);
});

test('values without the digest or the repository are refused, and a key that is named twice', async () => {
  const refuse = async (options: object) => (await errorOf(() => render(options)))?.message;
  expect(await refuse({ repository: 'image.repository' })).toMatchInlineSnapshot(
    `"acme/hello:1.0.1 cannot be delivered to helm: no key gets the digest: the chart would choose the tag"`,
  );
  expect(await refuse({ digest: 'image.digest' })).toMatchInlineSnapshot(
    `"acme/hello:1.0.1 cannot be delivered to helm: no key gets the repository: the chart would choose another image"`,
  );
  expect(await refuse({ image: 'image', tag: 'image' })).toContain('the options name the key image twice');
  expect(await refuse({ image: ['image', 'image.name'] })).toMatchInlineSnapshot(
    `"acme/hello:1.0.1 cannot be delivered to helm: the options name the key image.name twice"`,
  );
});

test.each(['web.containers[0].image', '', '.image', 'web..image'])('%j is no path of a key', (image) => {
  expect(helm.options.safeParse({ image }).success).toBe(false);
});
