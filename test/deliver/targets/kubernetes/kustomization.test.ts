import { expect, test } from 'vitest';
import { kubernetes } from '../../../../src/deliver/targets/kubernetes/kubernetes.ts';
import { errorOf } from '../../../support/assert/error-of.ts';
import { folderTemplate, renderTexts } from '../../delivery-input.ts';

const render = (files: Record<string, string>, options: object = {}) =>
  renderTexts(kubernetes, { template: folderTemplate('deploy', files), options });

const pods = (image: string, kind = 'Deployment') =>
  `apiVersion: apps/v1\nkind: ${kind}\nspec: {template: {spec: {containers: [{name: web, image: ${image}}]}}}\n`;

test('a folder of manifests is copied, and its image replaced by a kustomization', () => {
  const rollout = `${pods('acme/hello')}---\n# nothing\n---\n${pods('redis:7', 'StatefulSet')}`;
  const files = {
    'web.yaml': rollout,
    'README.md': '# deploy',
    'jobs/migrate.json': '{"apiVersion": "v1", "kind": "List"}',
  };
  expect(render(files, { namespace: 'shop' })).toMatchInlineSnapshot(`
    {
      "base/README.md": "# deploy",
      "base/jobs/migrate.json": "{"apiVersion": "v1", "kind": "List"}",
      "base/web.yaml": "apiVersion: apps/v1
    kind: Deployment
    spec: {template: {spec: {containers: [{name: web, image: acme/hello}]}}}
    ---
    # nothing
    ---
    apiVersion: apps/v1
    kind: StatefulSet
    spec: {template: {spec: {containers: [{name: web, image: redis:7}]}}}
    ",
      "kustomization.yaml": "apiVersion: kustomize.config.k8s.io/v1beta1
    kind: Kustomization
    namespace: shop
    resources:
      - base/web.yaml
      - base/jobs/migrate.json
    images:
      - name: acme/hello
        newName: registry.example.com/acme/hello
        digest: sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb
    ",
    }
  `);
});

test('a kustomization is a base as it is, in each spelling of the image that is used', () => {
  const files = {
    'base/kustomization.yaml': 'resources: [web.yaml, ../jobs, https://example.com/deploy//base?ref=v1]\n',
    'base/web.yaml': pods('acme/hello'),
    'jobs/Kustomization': 'resources: [job.yaml]\nimages: [{name: app, newName: registry.example.com/acme/hello}]\n',
    'jobs/job.yaml': pods('app', 'Rollout'),
    'unused.yaml': pods('acme/hello:0.9.0'),
  };
  expect(render(files, { path: 'base/' })['kustomization.yaml']).toMatchInlineSnapshot(`
    "apiVersion: kustomize.config.k8s.io/v1beta1
    kind: Kustomization
    resources:
      - base/base
    images:
      - name: acme/hello
        newName: registry.example.com/acme/hello
        digest: sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb
      - name: registry.example.com/acme/hello
        newName: registry.example.com/acme/hello
        digest: sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb
    "
  `);
  expect(render(files, { path: 'base', image: 'acme/hello' })['kustomization.yaml']).toContain('- base/base\n');
});

test('an image with a tag or a digest is a mistake with its place, wherever it is said', async () => {
  const refuse = (files: Record<string, string>) => errorOf(() => render({ 'ok.yaml': pods('acme/hello'), ...files }));
  const messages = [];
  for (const image of [
    'acme/hello:1.0.0',
    'registry.example.com/acme/hello@sha256:0',
    'other.example.com:5000/acme/hello',
  ])
    messages.push((await refuse({ 'web.yaml': `${pods('redis:7')}---\n${pods(JSON.stringify(image))}` }))?.message);
  expect(messages.join('\n\n')).toMatchInlineSnapshot(`
    "one mistake in deploy/web.yaml

      deploy/web.yaml:7:58  spec.template.spec.containers[0].image: expected the plain name acme/hello: gbuild writes the digest of acme/hello:1.0.1, found "acme/hello:1.0.0"
          6 | kind: Deployment
        > 7 | spec: {template: {spec: {containers: [{name: web, image: "acme/hello:1.0.0"}]}}}
            |                                                          ^^^^^^^^^^^^^^^^^^
        leave tag and digest out

    one mistake in deploy/web.yaml

      deploy/web.yaml:7:58  spec.template.spec.containers[0].image: expected the plain name acme/hello: gbuild writes the digest of acme/hello:1.0.1, found "registry.example.com/acme/hello@sha256:0"
          6 | kind: Deployment
        > 7 | …emplate: {spec: {containers: [{name: web, image: "registry.example.com/acme/hello@sha256:0"}]}}}
            |                                                   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
        leave tag and digest out

    one mistake in deploy/web.yaml

      deploy/web.yaml:7:58  spec.template.spec.containers[0].image: expected the plain name acme/hello: gbuild writes the digest of acme/hello:1.0.1, found "other.example.com:5000/acme/hello"
          6 | kind: Deployment
        > 7 | …pec: {template: {spec: {containers: [{name: web, image: "other.example.com:5000/acme/hello"}]}}}
            |                                                          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
        leave registry, tag and digest out, or say in options.image how the manifests spell it"
  `);
  const kustomization = `resources: [web.yaml]
patches:
  - {path: patch.yaml, target: {kind: Deployment}}
  - patch: |
      - {op: replace, path: /spec/template/spec/containers/0/image, value: "acme/hello:1.0.2"}
images:
  - {name: acme/hello, newTag: 1.0.3}
`;
  const patched = { 'kustomization.yaml': kustomization, 'web.yaml': pods('acme/hello') };
  const both = { ...patched, 'patch.yaml': pods('acme/hello') };
  expect((await refuse(both))?.message).toMatchInlineSnapshot(`
    "2 mistakes in deploy/kustomization.yaml

      deploy/kustomization.yaml:4:12  patches[1].patch: expected the plain name acme/hello: gbuild writes the digest of acme/hello:1.0.1, found "acme/hello:1.0.2"
          3 |   - {path: patch.yaml, target: {kind: Deployment}}
        > 4 |   - patch: |
            |            ^
        leave tag and digest out

      deploy/kustomization.yaml:7:32  images[0].newTag: expected the plain name acme/hello: gbuild writes the digest of acme/hello:1.0.1, found "1.0.3"
          6 | images:
        > 7 |   - {name: acme/hello, newTag: 1.0.3}
            |                                ^^^^^
        leave this entry out"
  `);
  expect((await refuse({ ...patched, 'patch.yaml': pods('acme/hello:1.0.1') }))?.message).toMatchInlineSnapshot(`
    "one mistake in deploy/patch.yaml

      deploy/patch.yaml:3:58  spec.template.spec.containers[0].image: expected the plain name acme/hello: gbuild writes the digest of acme/hello:1.0.1, found "acme/hello:1.0.1"
          2 | kind: Deployment
        > 3 | spec: {template: {spec: {containers: [{name: web, image: acme/hello:1.0.1}]}}}
            |                                                          ^^^^^^^^^^^^^^^^
        leave tag and digest out"
  `);
});

test('containers that start first and lists count, definitions of resources do not, and a circle of bases ends', () => {
  const list = `kind: List\nitems: [{spec: {initContainers: [{image: acme/hello}]}}]\n`;
  const definition = pods('"acme/hello:1.0.0"', 'CustomResourceDefinition');
  const files = {
    'a/kustomization.yaml': 'resources: [../b, list.yaml]\n',
    'a/list.yaml': `${list}---\n${definition}`,
    'b/kustomization.yaml': 'resources: [../a]\n',
  };
  expect(render(files, { path: 'a' })['kustomization.yaml']).toContain('- name: acme/hello\n');
});

test('a kustomization that would replace nothing is refused', async () => {
  const templated = `${pods('"$IMAGE"')}---\n${pods('redis:7')}`;
  expect(await errorOf(() => render({ 'web.yaml': templated }))).toMatchInlineSnapshot(`
    {
      "code": "delivery-refused",
      "message": "acme/hello:1.0.1 cannot be delivered to kubernetes: deploy has no container of the image acme/hello: its containers have $IMAGE, redis:7",
      "suggestions": [
        "write image: acme/hello in a container, without a tag",
        "say how the manifests name the image: deliver.targets.kubernetes.options.image",
      ],
    }
  `);
  expect(await errorOf(() => render({ 'README.md': 'none' }))).toMatchInlineSnapshot(`
    {
      "code": "delivery-refused",
      "message": "acme/hello:1.0.1 cannot be delivered to kubernetes: deploy has no container of the image acme/hello: it has no container",
      "suggestions": [
        "write image: acme/hello in a container, without a tag",
        "say how the manifests name the image: deliver.targets.kubernetes.options.image",
      ],
    }
  `);
});

test('what a kustomization refers to must be in the template, and what a folder has must be manifests', async () => {
  const outside = { 'kustomization.yaml': 'resources:\n  - ../base\n' };
  expect((await errorOf(() => render(outside)))?.message).toMatchInlineSnapshot(`
    "one mistake in deploy/kustomization.yaml

      deploy/kustomization.yaml:2:5  resources[0]: expected a file or folder with a kustomization in deploy, found "../base"
          1 | resources:
        > 2 |   - ../base
            |     ^^^^^^^
        deploy is copied; name a folder with all of it as the template, and options.path for this one"
  `);
  const missing = { 'kustomization.yaml': 'patchesStrategicMerge: [gone.yaml]\n' };
  expect((await errorOf(() => render(missing)))?.message).toMatchInlineSnapshot(`
    "one mistake in deploy/kustomization.yaml

      deploy/kustomization.yaml:1:25  patchesStrategicMerge[0]: expected a file or folder with a kustomization in deploy, found "gone.yaml"
        > 1 | patchesStrategicMerge: [gone.yaml]
            |                         ^^^^^^^^^"
  `);
  expect((await errorOf(() => render({ 'values.yaml': 'image: acme/hello\n' })))?.message).toMatchInlineSnapshot(`
    "one mistake in deploy/values.yaml

      deploy/values.yaml:1:1  expected a manifest with apiVersion and kind, found something else
        > 1 | image: acme/hello
            | ^^^^^^^^^^^^^^^^^
        move the file, or write a kustomization.yaml that lists the manifests"
  `);
  expect((await errorOf(() => render({ 'web.yaml': 'a: *none\n' })))?.message).toMatchInlineSnapshot(`
    "one mistake in deploy/web.yaml

      deploy/web.yaml:1:1  expected aliases that can be resolved, found Unresolved alias (the anchor must be set before the alias): none
        > 1 | a: *none
            | ^"
  `);
});

test('options of the other way are refused', async () => {
  const files = { 'web.yaml': pods('acme/hello') };
  expect(await errorOf(() => render(files, { replicas: 2 }))).toMatchInlineSnapshot(`
    {
      "code": "delivery-refused",
      "message": "acme/hello:1.0.1 cannot be delivered to kubernetes: options.replicas is for a Deployment that gbuild writes; here deploy says it",
      "suggestions": [
        "say it in deploy, and leave deliver.targets.kubernetes.options.replicas out",
      ],
    }
  `);
  expect(await errorOf(() => render(files, { path: 'production' }))).toMatchInlineSnapshot(`
    {
      "code": "delivery-refused",
      "message": "acme/hello:1.0.1 cannot be delivered to kubernetes: there is no folder production in the template deploy",
      "suggestions": [
        "write a folder of it: deliver.targets.kubernetes.options.path",
      ],
    }
  `);
  expect(kubernetes.listValidators!([{ kind: 'text', path: 'base/web.yaml', text: '' }])).toEqual([
    { program: 'kubectl', args: ['kustomize', '.'] },
  ]);
});
