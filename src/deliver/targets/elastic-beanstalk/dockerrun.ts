import type { DeliverVolume } from '../../../spec/types.ts';
import { jsonFile, type TextFile } from '../../files.ts';
import { referByDigest, refuseDelivery } from '../../refuse.ts';
import type { BeanstalkInput } from './options.ts';

/** Writes a Dockerrun.aws.json of version 1 that names the image. @throws GbuildError `delivery-refused` */
export function dockerrun(input: BeanstalkInput, port: number): TextFile {
  const { image, service, target } = input;
  const unsaid = [
    ...(Object.keys(service.env).length > 0 ? ['env'] : []),
    ...(service.args === undefined ? [] : ['args']),
  ];
  if (unsaid.length > 0)
    throw refuseDelivery(image, target, `Dockerrun.aws.json cannot say ${unsaid.join(' and ')} of the service`, [
      `write deliver.targets.${target}.options.form: dockerfile`,
    ]);
  return jsonFile('Dockerrun.aws.json', {
    AWSEBDockerrunVersion: '1',
    Image: { Name: referByDigest(image) },
    Ports: [{ ContainerPort: port }],
    ...describeVolumes(input),
  });
}

/** Writes the volumes next to a Dockerfile: this Dockerrun.aws.json names no image. */
export function dockerrunOfVolumes(input: BeanstalkInput): TextFile[] {
  if (input.service.volumes.length === 0) return [];
  return [jsonFile('Dockerrun.aws.json', { AWSEBDockerrunVersion: '1', ...describeVolumes(input) })];
}

function describeVolumes({ image, service: { volumes }, target }: BeanstalkInput): object {
  const refused = volumes.map(unsaid).find((why) => why !== undefined);
  if (refused !== undefined)
    throw refuseDelivery(image, target, `Elastic Beanstalk ${refused}`, [
      'name a folder of the machine that the application may write to: from: /var/app/data',
    ]);
  if (volumes.length === 0) return {};
  return { Volumes: volumes.map(({ from, to }) => ({ HostDirectory: from, ContainerDirectory: to })) };
}

function unsaid({ from, readOnly }: DeliverVolume): string | undefined {
  if (!from.startsWith('/')) return `has no volumes by name, such as ${from}`;
  return readOnly ? `mounts no folder read-only, such as ${from}` : undefined;
}
