import { Readable } from 'node:stream';
import { packLayer } from '../../../src/oci/layer/layer.ts';
import { askEngine } from '../engines/engine-http.ts';

/** Configuration of a service, as `ionroller set_config` takes it. */
interface ServiceConfig {
  image: string;
  port_mappings: { internal: number; external: number }[];
  volume_mappings?: { internal: string; external: string }[];
  run_args: string[];
  eb: { deployment_bucket: string; settings: { Namespace: string; OptionName: string; Value: string }[] };
}

/** Container that Elastic Beanstalk starts. */
export interface Environment extends AsyncDisposable {
  /** Name without the random letters at its end. */
  name: string;
  /** Image id of the pulled release, from which the container's image was built. */
  baseId: string;
  /** Address `http://127.0.0.1:PORT`. */
  url: string;
}

const texts = ['url', 'hosted_zone_id', 'aws_account_id', 'service_role', 'image'];
const pattern = /^((?:[a-zA-Z0-9._\-/:]+\/)?[a-zA-Z0-9._-]+\/[a-zA-Z0-9._-]+):(.+)$/;

/**
 * Does what ION-Roller and Elastic Beanstalk do of `ionroller release NAME VERSION`, by their documented rules: image and
 * version become a Dockerfile, arguments its CMD, settings the container's variables.
 */
export async function releaseByRules(host: string, name: string, version: string, text: string): Promise<Environment> {
  const config = parseConfig(text);
  const reference = `${config.image}:${version}`;
  if (!pattern.test(reference)) throw new Error(`Invalid docker image string: ${reference}`);
  const pulled = await askEngine(host, 'POST', `/images/create?fromImage=${encodeURIComponent(reference)}`);
  if (pulled.status !== 200 || pulled.text.includes('"error"')) throw new Error(pulled.text);
  const baseId = (await readJson<{ Id: string }>(host, `/images/${reference}/json`)).Id;
  const tag = `ionroller-${name}`;
  const ports = config.port_mappings.map(({ internal }) => internal).join(' ');
  const words = config.run_args.map((word) => `"${word}"`).join(', ');
  const dockerfile = `FROM ${reference}\nEXPOSE ${ports}\n${words === '' ? '' : `CMD [${words}]`}`;
  await buildImage(host, tag, dockerfile);
  const { id, port } = await startContainer(host, tag, config);
  const whole = `${name.slice(0, 10)}-${version}`.replaceAll(/[^0-9a-zA-Z-]/g, '-');
  return {
    name: whole.slice(0, 19),
    baseId,
    url: `http://127.0.0.1:${port}`,
    [Symbol.asyncDispose]: async () => {
      await askEngine(host, 'DELETE', `/containers/${id}?force=1&v=1`);
      for (const each of [tag, reference]) await askEngine(host, 'DELETE', `/images/${each}?force=1`);
    },
  };
}

function parseConfig(text: string): ServiceConfig {
  const config = JSON.parse(text) as ServiceConfig & Record<string, unknown>;
  const isPort = ({ internal, external }: { internal: unknown; external: unknown }) =>
    Number.isInteger(internal) && Number.isInteger(external);
  const isText = (value: unknown) => typeof value === 'string';
  const wrong = [
    ...texts.filter((key) => !isText(config[key])),
    ...(config.port_mappings.every(isPort) ? [] : ['port_mappings']),
    ...(config.run_args.every(isText) ? [] : ['run_args']),
    ...(isText(config.eb.deployment_bucket) ? [] : ['eb.deployment_bucket']),
    ...config.eb.settings.flatMap((each) =>
      [each.Namespace, each.OptionName, each.Value].every(isText) ? [] : ['eb.settings'],
    ),
  ];
  if (wrong.length > 0) throw new Error(`a service needs ${wrong.join(', ')}`);
  return config;
}

async function buildImage(host: string, tag: string, dockerfile: string): Promise<void> {
  const bytes = Buffer.from(dockerfile);
  const content = { bytes, size: bytes.length };
  const entry = { path: 'Dockerfile', type: 'file' as const, executable: false, content };
  const body = Readable.from(packLayer([entry], { createdBy: '' }).chunks());
  const { status, text } = await askEngine(host, 'POST', `/build?t=${tag}&forcerm=1`, { body });
  if (status !== 200 || text.includes('"errorDetail"')) throw new Error(`the Dockerfile does not build: ${text}`);
}

async function startContainer(host: string, tag: string, { eb, port_mappings: ports }: ServiceConfig) {
  const key = `${ports[0]!.internal}/tcp`;
  const environment = eb.settings.filter(({ Namespace }) => Namespace.endsWith(':application:environment'));
  const json = {
    Image: tag,
    Env: environment.map(({ OptionName, Value }) => `${OptionName}=${Value}`),
    Labels: { 'io.gbuild.test': 'ionroller' },
    HostConfig: { PortBindings: { [key]: [{ HostIp: '127.0.0.1', HostPort: '0' }] } },
  };
  const created = await askEngine(host, 'POST', '/containers/create', { json });
  if (created.status !== 201) throw new Error(created.text);
  const { Id: id } = JSON.parse(created.text) as { Id: string };
  await askEngine(host, 'POST', `/containers/${id}/start`);
  const inspected = await readJson<{ NetworkSettings: { Ports: Record<string, { HostPort: string }[]> } }>(
    host,
    `/containers/${id}/json`,
  );
  return { id, port: inspected.NetworkSettings.Ports[key]![0]!.HostPort };
}

async function readJson<T>(host: string, path: string): Promise<T> {
  return JSON.parse((await askEngine(host, 'GET', path)).text) as T;
}
