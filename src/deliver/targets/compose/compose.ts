import { z } from 'zod';
import type { DeliveryFile } from '../../files.ts';
import { referByDigest, refuseDelivery } from '../../refuse.ts';
import type { Service } from '../../service.ts';
import type { DeliveryInput, DeliveryTarget } from '../../target.ts';
import { findImageByHand, type ParsedTemplate, parseOnlyFile } from '../../template.ts';
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
  const { name, volumes } = service;
  const named = volumes.map(({ from }) => from).filter((from) => !from.startsWith('/'));
  return yamlFile(wholeName, {
    services: { [options.service ?? name]: { image: referByDigest(image), ...describe(service, options) } },
    ...(named.length > 0 && { volumes: Object.fromEntries(named.map((from) => [from, {}])) }),
  });
}

function describe({ port, env, args, cpu, memory, volumes }: Service, { publish = port }: Options): object {
  return {
    restart: 'unless-stopped',
    ...(args !== undefined && { command: args.map(escapeDollar) }),
    ...(Object.keys(env).length > 0 && { environment: mapValues(env, escapeDollar) }),
    ...(port !== undefined && { ports: [`${publish}:${port}`] }),
    ...(volumes.length > 0 && {
      volumes: volumes.map(({ from, to, readOnly }) => `${from}:${to}${readOnly ? ':ro' : ''}`),
    }),
    ...(cpu !== undefined && { cpus: cpu }),
    ...(memory !== undefined && { mem_limit: memory }),
  };
}

/** Compose replaces `$NAME` in every text. */
function escapeDollar(text: string): string {
  return text.replaceAll('$', '$$$$');
}

function mapValues(record: Record<string, string>, convert: (value: string) => string): Record<string, string> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, convert(value)]));
}

function renderOverride({ image, service, options, template, target }: DeliveryInput<Options>): DeliveryFile {
  const parsed = parseOnlyFile(template!);
  const name = options.service ?? service.name;
  if (!readServices(parsed).includes(name)) {
    const known = readServices(parsed).join(', ');
    throw refuseDelivery(image, target, `${template!.path} has no service ${name}; it has ${known || 'none'}`, [
      `say which one it is: deliver.targets.${target}.options.service`,
    ]);
  }
  const byHand = findImageByHand(parsed, ['services', name, 'image'], image);
  const builds = parsed.document.hasIn(['services', name, 'build']);
  const wouldBuild = parsed.mistake(['services', name, 'build'], {
    expected: 'no build beside a released image: compose would build where it cannot pull',
    found: 'a build',
    hint: 'move it to a compose file for development',
  });
  parsed.refuseAny([...(byHand === undefined ? [] : [byHand]), ...(builds ? [wouldBuild] : [])]);
  return yamlFile('compose.override.yml', { services: { [name]: { image: referByDigest(image) } } });
}

function readServices(parsed: ParsedTemplate): string[] {
  const { services } = (parsed.value ?? {}) as { services?: unknown };
  return typeof services === 'object' && services !== null ? Object.keys(services) : [];
}
