import { refuseDelivery } from '../../refuse.ts';
import type { DeliveryInput, DeliveryTarget } from '../../target.ts';
import { renderKustomization } from './kustomization.ts';
import { manifestName, renderManifests } from './manifests.ts';
import { type KubernetesOptions, kubernetesOptions } from './options.ts';

/** Kubernetes: a Deployment and a Service, or a kustomization that gives manifests of the repository their image. */
export const kubernetes: DeliveryTarget<KubernetesOptions> = {
  kind: 'kubernetes',
  summary: 'Kubernetes: kubernetes.yaml, or a kustomization over a folder of yours',
  takes: 'digest',
  takesOnePlatform: false,
  options: kubernetesOptions,
  template: { use: 'optional', is: 'folder' },
  needs: [],
  render: (input) => {
    refuseOtherOptions(input);
    return input.template === undefined ? [renderManifests(input)] : renderKustomization(input, input.template);
  },
  listValidators: ([first]) =>
    first?.path === manifestName
      ? [{ program: 'kubeconform', args: ['-strict', manifestName] }]
      : [{ program: 'kubectl', args: ['kustomize', '.'] }],
};

const ofManifests = ['replicas', 'publish', 'readOnly', 'pullSecret'] as const;
const ofTemplates = ['image', 'path'] as const;

/** Refuses options that this way of delivery does not read: they would be wrong in silence. */
function refuseOtherOptions({ image, target, options, template }: DeliveryInput<KubernetesOptions>): void {
  const others = template === undefined ? ofTemplates : ofManifests;
  const given = others.find((option) => options[option] !== undefined);
  if (given === undefined) return;
  const place = `deliver.targets.${target}`;
  throw template === undefined
    ? refuseDelivery(image, target, `options.${given} says something of a template, and there is none`, [
        `write ${place}.template: a folder of manifests, or leave ${place}.options.${given} out`,
      ])
    : refuseDelivery(
        image,
        target,
        `options.${given} is for a Deployment that gbuild writes; here ${template.path} says it`,
        [`say it in ${template.path}, and leave ${place}.options.${given} out`],
      );
}
