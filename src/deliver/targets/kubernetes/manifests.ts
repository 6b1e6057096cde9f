import type { TextFile } from '../../files.ts';
import { writesVolumes } from '../../service.ts';
import type { DeliveryInput } from '../../target.ts';
import { yamlFile } from '../../yaml-file.ts';
import type { KubernetesOptions } from './options.ts';
import { describePod } from './pod.ts';

export const manifestName = 'kubernetes.yaml';

/** Renders a Deployment, and a Service where the service listens. */
export function renderManifests(input: DeliveryInput<KubernetesOptions>): TextFile {
  const { service, options } = input;
  const { publish = service.port } = options;
  const metadata = {
    name: service.name,
    ...(options.namespace && { namespace: options.namespace }),
    labels: listLabels(input),
  };
  const selector = { 'app.kubernetes.io/name': service.name };
  const deployment = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: {
      ...metadata,
      annotations: { 'kubernetes.io/change-cause': `${input.image.name}:${input.image.version}` },
    },
    spec: {
      replicas: options.replicas ?? 1,
      selector: { matchLabels: selector },
      // A claim may be of one node alone, and two versions should not write to it.
      ...(writesVolumes(service) && { strategy: { type: 'Recreate' } }),
      template: { metadata: { labels: listLabels(input) }, spec: describePod(input) },
    },
  };
  const ports = [{ name: 'http', port: publish, targetPort: 'http' }];
  const listener = { apiVersion: 'v1', kind: 'Service', metadata, spec: { selector, ports } };
  const documents = service.port === undefined ? [deployment] : [deployment, listener];
  const texts = documents.map((each) => yamlFile(manifestName, each).text);
  return { kind: 'text', path: manifestName, text: texts.join('---\n') };
}

/** Lists the labels that Kubernetes recommends. A version that is no value of a label is left to the annotation. */
function listLabels({ service, image: { version } }: DeliveryInput<KubernetesOptions>): Record<string, string> {
  const isValue = /^[A-Za-z0-9](?:[\w.-]{0,61}[A-Za-z0-9])?$/.test(version);
  return {
    'app.kubernetes.io/name': service.name,
    ...(isValue && { 'app.kubernetes.io/version': version }),
    'app.kubernetes.io/managed-by': 'gbuild',
  };
}
