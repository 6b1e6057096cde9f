import { z } from 'zod';
import type { BundleEntry, DeliveryFile, ImageArchive } from '../../files.ts';
import { refuseDelivery } from '../../refuse.ts';
import { appspecFile, type HookName, type HookScript, hookNames } from '../../revision/appspec.ts';
import type { DeliveryInput, DeliveryTarget } from '../../target.ts';
import { type NovaFile, readNovaFile } from './nova-file.ts';
import { novaScripts } from './scripts.ts';
import {
  chooseStacks,
  collectOwnScripts,
  environmentsDir,
  ownScriptsDir,
  variablesFile,
  variablesPath,
} from './stack-files.ts';

const optionsSchema = z.strictObject({
  /** Environment of nova.yml whose stacks are in the bundle; by default those of all. */
  environment: z.string().min(1).optional(),
  /** An archive for the engine that Nova asks, in place of the bundle for its bucket. */
  local: z.boolean().default(false),
  /** How often the new container is asked whether it is healthy. */
  attempts: z.int().min(1).max(60).default(30),
  /** Seconds between two questions. */
  interval: z.int().min(1).max(30).default(10),
});

type Options = z.output<typeof optionsSchema>;

/** Nova on CodeDeploy: the bundle that Nova finds in its bucket, or the image that it finds on an engine. */
export const nova: DeliveryTarget<Options> = {
  kind: 'nova',
  summary: 'Nova on CodeDeploy: SERVICE/VERSION.tar.gz for its bucket, from nova.yml',
  takes: 'docker-archive',
  takesOnePlatform: true,
  options: optionsSchema,
  template: { use: 'required', is: 'file', byDefault: 'nova.yml', companion: ownScriptsDir },
  needs: ['nova.yml, whose service_name is the name of the service'],
  render: (input) => {
    const file = readNovaFile(input.template!);
    assertSameService(file, input);
    return [input.options.local ? renderLocal(file, input) : renderBundle(file, input)];
  },
  // Nova writes the first tag of the image that it finds into its scripts.
  findOnlyTag: ([file]) => (file?.kind === 'docker-archive' ? file.tags[0] : undefined),
};

function renderBundle(
  file: NovaFile,
  { image, service, options, template, target }: DeliveryInput<Options>,
): DeliveryFile {
  const { serviceName, port, health } = file;
  const stacks = chooseStacks(file, options.environment);
  const tag = `${serviceName}:${image.version}`;
  const archive: ImageArchive = {
    kind: 'docker-archive',
    path: `docker/${serviceName}-${image.version}-docker-image.tar.gz`,
    tags: [tag],
  };
  const { attempts, interval } = options;
  const container = { name: serviceName, image: tag, port, health, attempts, interval };
  const scripts = novaScripts(container, { path: archive.path.replace(/^docker/, '/tmp'), imageId: image.imageId });
  const made = [...scripts, archive, ...stacks.map((stack) => variablesFile(stack, service))];
  const own = collectOwnScripts(template!, ['appspec.yml', ...made.map(({ path }) => path)], image, target);
  const files = stacks.map(({ type }) => ({ source: variablesPath(type), destination: `${environmentsDir}/${type}` }));
  const hook = (name: HookName): HookScript[] => [...hooks[name], ...(own.hooks[name] ?? [])];
  const appspec = appspecFile({
    files: [{ source: archive.path, destination: '/tmp' }, ...files],
    hooks: Object.fromEntries(hookNames.map((name) => [name, hook(name)])),
  });
  const entries: BundleEntry[] = [appspec, ...made, ...own.files];
  return { kind: 'tar.gz', path: `${serviceName}/${image.version}.tar.gz`, entries };
}

const hooks: Record<HookName, readonly HookScript[]> = {
  ApplicationStop: [{ location: 'cleanup_space.sh', timeout: 300 }],
  BeforeInstall: [{ location: 'deregister_from_elb.sh' }, { location: 'kill_docker_container.sh', timeout: 300 }],
  AfterInstall: [{ location: 'load_docker_container.sh' }],
  ApplicationStart: [{ location: 'start_docker_container.sh', timeout: 300 }, { location: 'register_with_elb.sh' }],
  ValidateService: [{ location: 'validate_service.sh' }],
};

/** Nova makes its own bundle then, and knows nothing of gbuild.yml. */
function renderLocal({ serviceName }: NovaFile, { image, service, target }: DeliveryInput<Options>): DeliveryFile {
  const { env, volumes, args, cpu, memory } = service;
  const said = { args, cpu, memory, env: Object.keys(env)[0], volumes: volumes[0] };
  const lost = Object.entries(said).filter(([, value]) => value !== undefined);
  if (lost.length > 0)
    throw refuseDelivery(
      image,
      target,
      `Nova makes the bundle of a local image from nova.yml alone, and deliver.service has ${lost.map(([key]) => key).join(', ')}`,
      ['write it in nova.yml, or leave options.local out: then gbuild makes the bundle'],
    );
  const path = `${serviceName}-${image.version}-docker-image.tar`;
  return { kind: 'docker-archive', path, tags: [`${serviceName}:${image.version}`] };
}

function assertSameService({ parsed, serviceName, port }: NovaFile, { image, service }: DeliveryInput<Options>): void {
  const names = [...new Set([image.name, service.name])];
  const isNamed = names.includes(serviceName);
  const isPort = service.port === undefined || service.port === port;
  const otherName = parsed.mistake(['service_name'], {
    expected: names.join(' or '),
    found: JSON.stringify(serviceName),
    hint: `deliver.service.name of gbuild.yml is the name of the service: ${serviceName}`,
  });
  const otherPort = parsed.mistake(['port'], {
    expected: `${service.port}, the port of the service: Nova publishes it as itself`,
    found: String(port),
    hint: `where it listens on ${port}, write deliver.service.port: ${port} in gbuild.yml`,
  });
  parsed.refuseAny([...(isNamed ? [] : [otherName]), ...(isPort ? [] : [otherPort])]);
}
