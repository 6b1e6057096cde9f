import { expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { kubernetes } from '../../../../src/deliver/targets/kubernetes/kubernetes.ts';
import { errorOf } from '../../../support/assert/error-of.ts';
import { awkward, type Described, image, renderTexts } from '../../delivery-input.ts';

const render = (described?: Described) => renderTexts(kubernetes, described)['kubernetes.yaml']!;
const parse = (text: string) => parseAllDocuments(text, { version: '1.1' }).map((each) => each.toJS());

test('without a template a Deployment and a Service are written', () => {
  const service = {
    health: '/health?full=1',
    env: { GREETING: 'it costs $(X) $5' },
    args: ['--name', 'a b'],
    cpu: 0.5,
    memory: 512 * 1024 ** 2,
    volumes: [
      { from: 'data', to: '/data', readOnly: false },
      { from: '/srv', to: '/srv', readOnly: true },
      { from: 'data', to: '/again', readOnly: true },
    ],
  };
  const options = { namespace: 'shop', replicas: 2, publish: 80, readOnly: true, pullSecret: 'registry' };
  expect(render({ service, options })).toMatchInlineSnapshot(`
    "apiVersion: apps/v1
    kind: Deployment
    metadata:
      name: hello
      namespace: shop
      labels:
        app.kubernetes.io/name: hello
        app.kubernetes.io/version: 1.0.1
        app.kubernetes.io/managed-by: gbuild
      annotations:
        kubernetes.io/change-cause: acme/hello:1.0.1
    spec:
      replicas: 2
      selector:
        matchLabels:
          app.kubernetes.io/name: hello
      strategy:
        type: Recreate
      template:
        metadata:
          labels:
            app.kubernetes.io/name: hello
            app.kubernetes.io/version: 1.0.1
            app.kubernetes.io/managed-by: gbuild
        spec:
          enableServiceLinks: false
          automountServiceAccountToken: false
          imagePullSecrets:
            - name: registry
          securityContext:
            runAsNonRoot: true
            runAsUser: 65532
            runAsGroup: 65532
            fsGroup: 65532
            seccompProfile:
              type: RuntimeDefault
          containers:
            - name: hello
              image: registry.example.com/acme/hello@sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb
              args:
                - --name
                - a b
              env:
                - name: GREETING
                  value: it costs $$(X) $$5
              ports:
                - name: http
                  containerPort: 8080
              startupProbe:
                httpGet:
                  path: /health?full=1
                  port: http
                periodSeconds: 5
                failureThreshold: 60
              readinessProbe:
                httpGet:
                  path: /health?full=1
                  port: http
                periodSeconds: 5
              livenessProbe:
                httpGet:
                  path: /health?full=1
                  port: http
                periodSeconds: 10
              resources:
                requests:
                  cpu: 500m
                  memory: 512Mi
                limits:
                  cpu: 500m
                  memory: 512Mi
              securityContext:
                allowPrivilegeEscalation: false
                capabilities:
                  drop:
                    - ALL
                readOnlyRootFilesystem: true
              volumeMounts:
                - name: volume-1
                  mountPath: /data
                - name: volume-2
                  mountPath: /srv
                  readOnly: true
                - name: volume-1
                  mountPath: /again
                  readOnly: true
                - name: writable-1
                  mountPath: /tmp
          volumes:
            - name: volume-1
              persistentVolumeClaim:
                claimName: data
            - name: volume-2
              hostPath:
                path: /srv
                type: Directory
            - name: writable-1
              emptyDir: {}
    ---
    apiVersion: v1
    kind: Service
    metadata:
      name: hello
      namespace: shop
      labels:
        app.kubernetes.io/name: hello
        app.kubernetes.io/version: 1.0.1
        app.kubernetes.io/managed-by: gbuild
    spec:
      selector:
        app.kubernetes.io/name: hello
      ports:
        - name: http
          port: 80
          targetPort: http
    "
  `);
});

test('an image of root is not restricted, and one whose user is a name says nothing of users', () => {
  const securityOf = (User: string) => {
    const [{ spec }] = parse(render({ image: { config: { ...image.config, User } } }));
    return JSON.stringify([spec.template.spec.securityContext, spec.template.spec.containers[0].securityContext]);
  };
  expect(['', '0:0', 'node', '1000'].map(securityOf)).toMatchInlineSnapshot(`
    [
      "[null,null]",
      "[null,null]",
      "[null,null]",
      "[{"runAsNonRoot":true,"runAsUser":1000,"seccompProfile":{"type":"RuntimeDefault"}},{"allowPrivilegeEscalation":false,"capabilities":{"drop":["ALL"]}}]",
    ]
  `);
});

test('a service without port gets no Service, and one without memory or processors no limit', () => {
  const described = { image: { config: {} } };
  const documents = parse(render(described));
  expect(documents.map(({ kind }) => kind)).toEqual(['Deployment']);
  expect(Object.keys(documents[0].spec.template.spec.containers[0])).toEqual(['name', 'image']);
});

test('each value comes out as it went in, with its dollars escaped', () => {
  const [deployment] = parse(render({ service: { env: awkward, args: Object.values(awkward) } }));
  const [{ env, args }] = deployment.spec.template.spec.containers;
  const escaped = Object.values(awkward).map((value) => value.replaceAll('$', '$$$$'));
  expect(env.map(({ value }: { value: string }) => value)).toEqual(escaped);
  expect(args).toEqual(escaped);
});

test('amounts are exact quantities', () => {
  const amountsOf = (cpu: number, memory: number) => {
    const [deployment] = parse(render({ service: { cpu, memory } }));
    const { cpu: processors, memory: bytes } = deployment.spec.template.spec.containers[0].resources.limits;
    return `${processors} ${bytes}`;
  };
  expect([amountsOf(2, 2 * 1024 ** 3), amountsOf(1.001, 1536 * 1024), amountsOf(0.0001, 1000)]).toEqual([
    '2 2Gi',
    '1001m 1536Ki',
    '1m 1000',
  ]);
});

test('a version that is no label is left to the annotation', () => {
  const version = `1.0.1-${'x'.repeat(70)}`;
  const [{ metadata }] = parse(render({ image: { version } }));
  expect(metadata.labels).toEqual({ 'app.kubernetes.io/name': 'hello', 'app.kubernetes.io/managed-by': 'gbuild' });
  expect(metadata.annotations).toEqual({ 'kubernetes.io/change-cause': `acme/hello:${version}` });
});

test('what Kubernetes cannot say is refused', async () => {
  expect(await errorOf(() => render({ service: { health: '/' }, image: { config: {} } }))).toMatchInlineSnapshot(`
    {
      "code": "delivery-refused",
      "message": "acme/hello:1.0.1 cannot be delivered to kubernetes: Kubernetes asks / at a port, and nothing tells which",
      "suggestions": [
        "write deliver.service.port in gbuild.yml",
      ],
    }
  `);
  const volumes = [{ from: 'My_Data', to: '/data', readOnly: false }];
  expect(await errorOf(() => render({ service: { volumes } }))).toMatchInlineSnapshot(`
    {
      "code": "delivery-refused",
      "message": "acme/hello:1.0.1 cannot be delivered to kubernetes: a PersistentVolumeClaim cannot have the name My_Data",
      "suggestions": [
        "write lower-case letters, digits, - and . in deliver.service.volumes",
      ],
    }
  `);
  expect(await errorOf(() => render({ options: { path: 'overlays' } }))).toMatchInlineSnapshot(`
    {
      "code": "delivery-refused",
      "message": "acme/hello:1.0.1 cannot be delivered to kubernetes: options.path says something of a template, and there is none",
      "suggestions": [
        "write deliver.targets.kubernetes.template: a folder of manifests, or leave deliver.targets.kubernetes.options.path out",
      ],
    }
  `);
});

test('kubeconform judges the manifest', () => {
  const files = kubernetes.listValidators!([{ kind: 'text', path: 'kubernetes.yaml', text: '' }]);
  expect(files).toEqual([{ program: 'kubeconform', args: ['-strict', 'kubernetes.yaml'] }]);
});
