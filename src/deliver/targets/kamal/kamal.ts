import { stringify } from 'yaml';
import { z } from 'zod';
import type { DeliveredImage } from '../../delivered-image.ts';
import { textFile } from '../../files.ts';
import { referByVersion, refuseDelivery } from '../../refuse.ts';
import type { Service } from '../../service.ts';
import type { DeliveryInput, DeliveryTarget } from '../../target.ts';
import { completeOwnFile, readServiceName } from './own-file.ts';
import { escapeRuby } from './ruby-marks.ts';
import { findChange, quoteForServer } from './shell-words.ts';

const secretName = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'the name of a secret in .kamal/secrets');

const optionsSchema = z.strictObject({
  /** Addresses of the servers. */
  servers: z.array(z.string().min(1)).min(1).optional(),
  /** Host name that Kamal's proxy serves. */
  host: z.string().min(1).optional(),
  /** Whether requests reach it through Kamal's proxy. */
  proxy: z.boolean().default(true),
  /** Secret with the user of the registry. */
  username: secretName.default('KAMAL_REGISTRY_USERNAME'),
  /** Secret with the password of the registry. */
  password: secretName.default('KAMAL_REGISTRY_PASSWORD'),
});

type Options = z.output<typeof optionsSchema>;

const fileName = 'deploy.yml';

/** Kamal: a whole deploy.yml, or the repository's own with the release in it. */
export const kamal: DeliveryTarget<Options> = {
  kind: 'kamal',
  summary: 'Kamal: deploy.yml for kamal deploy --skip-push, whole or made of yours',
  takes: 'tag',
  takesOnePlatform: false,
  options: optionsSchema,
  template: { use: 'optional', is: 'file' },
  needs: ['image.labels in gbuild.yml has service, the name by which Kamal knows it'],
  render: (input) => {
    assertLabel(input);
    const text = input.template === undefined ? renderWhole(input) : completeOwnFile(input, placeOf(input.image));
    // Ruby runs in comments too: without this line Kamal would deploy the commit of the folder that it is started in.
    const { name, version } = input.image;
    return [textFile(fileName, `# Release ${name}:${version} <% ENV["VERSION"] = "${version}" %>\n${text}`)];
  },
  listWarnings: ({ service, template, options, target }) => {
    const said = (['args', 'cpu', 'memory'] as const).filter((key) => service[key] !== undefined);
    const left = [...(Object.keys(service.env).length > 0 ? ['env'] : []), ...said];
    if (template !== undefined && left.length > 0)
      return [`${target}: deliver.service says ${left.join(', ')}, and ${template.path} alone is heard for these`];
    if (template === undefined && options.proxy && service.health === undefined)
      return [`${target} asks /up for health, because deliver.service.health says no path`];
    return [];
  },
  listValidators: () => [{ program: 'kamal', args: ['config', '--config-file', fileName] }],
};

/** Place of the image in Kamal's two parts. */
function placeOf(image: DeliveredImage): { server: string; image: string } {
  const name = referByVersion(image).slice(0, -`:${image.version}`.length);
  const slash = name.indexOf('/');
  return { server: name.slice(0, slash), image: name.slice(slash + 1) };
}

/** Kamal refuses an image whose label `service` is another, after it has pulled it on each server. */
function assertLabel(input: DeliveryInput<Options>): void {
  const { image, service, target } = input;
  const name = readServiceName(input) ?? service.name;
  const label = image.config.Labels?.service;
  if (label === name) return;
  const why =
    label === undefined
      ? 'Kamal takes no image without the label service'
      : `Kamal takes it for ${name} only with the label service=${name}, and it has service=${label}`;
  throw refuseDelivery(image, target, why, [
    `write below image in gbuild.yml, then make a new release: labels: { service: ${name} }`,
  ]);
}

function renderWhole({ image, service, options, target }: DeliveryInput<Options>): string {
  const { servers, host, proxy, username, password } = options;
  const refuse = (why: string, suggestion: string) => refuseDelivery(image, target, why, [suggestion]);
  const at = `deliver.targets.${target}`;
  if (servers === undefined)
    throw refuse('nothing says the servers', `write ${at}.options.servers, or ${at}.template: your deploy.yml`);
  if (proxy && service.port === undefined)
    throw refuse('its proxy needs the port', `write deliver.service.port, or ${at}.options.proxy: false`);
  for (const [key, value] of Object.entries(service.env)) {
    const change = findChange(value);
    if (change !== undefined)
      throw refuse(`${key} of deliver.service.env ${change}`, `name ${key} under env.secret of a deploy.yml of yours`);
  }
  const odd = service.args?.find((word) => /\p{Cc}/u.test(word));
  if (odd !== undefined)
    throw refuse(`${JSON.stringify(odd)} has a control character or a line end`, 'write it into a script of the image');
  const place = placeOf(image);
  const isLocal = /^localhost(:|$)/.test(place.server);
  const value = {
    service: service.name,
    image: place.image,
    servers: { web: describeRole(service, servers, proxy) },
    registry: { server: place.server, ...(!isLocal && { username: [username], password: [password] }) },
    // Kamal wants it said also where it builds nothing.
    builder: { arch: image.platform?.split('/')[1] ?? 'amd64' },
    ...(proxy && { proxy: describeProxy(service, host) }),
    ...(Object.keys(service.env).length > 0 && { env: { clear: service.env } }),
    ...(service.volumes.length > 0 && {
      volumes: service.volumes.map(({ from, to, readOnly }) => quoteForServer(`${from}:${to}${readOnly ? ':ro' : ''}`)),
    }),
  };
  // Ruby takes more plain texts for numbers and symbols than YAML 1.1 does: each is quoted.
  const quotes = { defaultStringType: 'QUOTE_DOUBLE', defaultKeyType: 'PLAIN', version: '1.1', lineWidth: 0 } as const;
  return escapeRuby(stringify(value, quotes));
}

function describeRole({ args, cpu, memory }: Service, hosts: readonly string[], proxy: boolean): object {
  const limits = { ...(cpu !== undefined && { cpus: cpu }), ...(memory !== undefined && { memory: `${memory}b` }) };
  return {
    hosts,
    ...(!proxy && { proxy }),
    ...(args !== undefined && { cmd: args.map(quoteForServer).join(' ') }),
    ...(Object.keys(limits).length > 0 && { options: limits }),
  };
}

function describeProxy({ port, health }: Service, host: string | undefined): object {
  return {
    ...(host !== undefined && { host }),
    app_port: port,
    ...(health !== undefined && { healthcheck: { path: health } }),
  };
}
