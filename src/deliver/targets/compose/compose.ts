import { z } from 'zod';
import { declareVolumes, describeProcess, findService } from '../../compose-file.ts';
import type { DeliveryFile } from '../../files.ts';
import { referByDigest } from '../../refuse.ts';
import type { Service } from '../../service.ts';
import type { DeliveryInput, DeliveryTarget } from '../../target.ts';
import { yamlFile } from '../../yaml-file.ts';

const optionsSchema = z.strictObject({
  /** Key of the service in the template; by default the service's name. */
  service: z.string().min(1).optional(),
  /** Port of the machine; by default the service's own. */
  publish: z.int().min(1).max(65_535).optional(),
});

type Options = z.output<typeof optionsSchema>;

/** Docker Compose: a whole file, or an override that gives a service of the repository's own file its image. */
export const compose: DeliveryTarget<Options> = {
  kind: 'compose',
  summary: 'Docker Compose: compose.yml, or compose.override.yml for a file of yours',
  takes: 'digest',
  takesOnePlatform: false,
  options: optionsSchema,
  template: { use: 'optional', is: 'file' },
  needs: [],
  render: (input) => [input.template === undefined ? renderWhole(input) : renderOverride(input)],
  listValidators: (files) => {
    const [only] = files;
    // An override is judged together with the file that it belongs to, which is not in the delivery.
    return only?.path === wholeName
      ? [{ program: 'docker-compose', args: ['-f', wholeName, 'config', '--quiet'] }]
      : [];
  },
};

const wholeName = 'compose.yml';

function renderWhole({ image, service, options }: DeliveryInput<Options>): DeliveryFile {
  return yamlFile(wholeName, {
    services: { [options.service ?? service.name]: { image: referByDigest(image), ...describe(service, options) } },
    ...declareVolumes(service),
  });
}

function describe(service: Service, { publish = service.port }: Options): object {
  const { port, cpu, memory } = service;
  return {
    restart: 'unless-stopped',
    ...describeProcess(service),
    ...(port !== undefined && { ports: [`${publish}:${port}`] }),
    ...(cpu !== undefined && { cpus: cpu }),
    ...(memory !== undefined && { mem_limit: memory }),
  };
}

function renderOverride(input: DeliveryInput<Options>): DeliveryFile {
  const { name } = findService(input);
  return yamlFile('compose.override.yml', { services: { [name]: { image: referByDigest(input.image) } } });
}
