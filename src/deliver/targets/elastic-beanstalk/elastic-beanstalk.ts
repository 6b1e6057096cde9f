import { type TextFile, textFile } from '../../files.ts';
import { refuseDelivery } from '../../refuse.ts';
import type { DeliveryTarget } from '../../target.ts';
import { dockerfile } from './dockerfile.ts';
import { dockerrun, dockerrunOfVolumes } from './dockerrun.ts';
import { type BeanstalkInput, type BeanstalkOptions, beanstalkOptions } from './options.ts';

/** AWS Elastic Beanstalk with one container: a bundle that runs the digest. */
export const elasticBeanstalk: DeliveryTarget<BeanstalkOptions> = {
  kind: 'elastic-beanstalk',
  summary: 'AWS Elastic Beanstalk, Docker on Amazon Linux 2023: a source bundle',
  takes: 'digest',
  takesOnePlatform: true,
  options: beanstalkOptions,
  template: { use: 'optional', is: 'folder' },
  needs: ['an entrypoint of the image in exec form', 'deliver.service.port, or one port in image.expose'],
  render: (input) => {
    assertEntrypoint(input);
    const port = expectPort(input);
    const made =
      input.options.form === 'dockerrun'
        ? [dockerrun(input, port)]
        : [dockerfile(input, port), ...dockerrunOfVolumes(input)];
    const entries = [...made, ...describeHealth(input), ...readOwnFiles(input)];
    return [{ kind: 'zip', path: `${input.service.name}-${input.image.version}.zip`, entries }];
  },
};

/** Arguments and signals reach the application only through an entrypoint that is no line for a shell. */
function assertEntrypoint({ image, target }: BeanstalkInput): void {
  const { Entrypoint: words = [] } = image.config;
  const isShell = /(?:^|\/)(?:ba|da|a)?sh$/.test(words[0] ?? '') && words[1] === '-c';
  if (words.length > 0 && !isShell) return;
  const why = words.length === 0 ? 'the image has no entrypoint' : 'the entrypoint of the image is a line for a shell';
  throw refuseDelivery(image, target, why, ['write image.entrypoint in gbuild.yml as a list: [node, server.js]']);
}

function expectPort({ image, service, target }: BeanstalkInput): number {
  if (service.port !== undefined) return service.port;
  throw refuseDelivery(image, target, 'its proxy needs the port of the application, and nothing says exactly one', [
    'write deliver.service.port in gbuild.yml',
  ]);
}

const healthFile = '.ebextensions/00-gbuild.config';

/** The first of the configuration files: one of the repository wins. */
function describeHealth({ service: { health } }: BeanstalkInput): TextFile[] {
  if (health === undefined) return [];
  const settings = { 'aws:elasticbeanstalk:application': { 'Application Healthcheck URL': health } };
  return [textFile(healthFile, JSON.stringify({ option_settings: settings }, undefined, 2))];
}

/** Files that say what runs: with one of the repository's own, the release would not be what runs. */
const deciding = ['Dockerfile', 'Dockerrun.aws.json', 'docker-compose.yml', 'docker-compose.yaml', healthFile];

/** Reads the files of the template. Hooks are programs. */
function readOwnFiles({ image, template, target }: BeanstalkInput): TextFile[] {
  const files = [...(template?.files ?? [])];
  const found = files.map(([path]) => path).find((path) => deciding.includes(path));
  if (found !== undefined)
    throw refuseDelivery(image, target, `${template!.path}/${found} takes the place of a file that gbuild writes`, [
      `move it out of ${template!.path}; .ebextensions and .platform may stay`,
    ]);
  return files.map(([path, text]) => ({
    kind: 'text',
    path,
    text,
    ...(/^\.platform\/(?:conf)?hooks\//.test(path) && { isExecutable: true }),
  }));
}
