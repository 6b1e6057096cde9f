import { setTimeout as sleep } from 'node:timers/promises';
import { baseImage, ensureTestImage, removeTestImage } from '../images/base-image.ts';
import { type Generation, type GenerationName, generations } from './engine-generations.ts';
import { answers, askEngine } from './engine-http.ts';
import { ownHost } from './test-engine.ts';

const capabilities =
  'SYS_ADMIN NET_ADMIN NET_RAW SYS_PTRACE SYS_MODULE MKNOD DAC_READ_SEARCH SYS_CHROOT SETPCAP SETFCAP AUDIT_WRITE IPC_LOCK SYSLOG LINUX_IMMUTABLE SYS_NICE SYS_TIME';

/** Engine with a separate file system, to be killed, frozen or asked for folders that it cannot see. */
export interface EngineContainer extends AsyncDisposable {
  /** Id of the container on the outer engine. */
  id: string;
  host: string;
  port: number;
  /** Address in its network, where other containers reach its published ports. */
  address: string;
  /** Kills the engine with all its containers. */
  kill(): Promise<void>;
  /** Freezes the engine: it stops answering, and its connections stay open. */
  freeze(): Promise<void>;
}

/** Options of one engine. */
export interface EngineContainerOptions {
  /** Network of the outer engine; defaults to its bridge. */
  network?: string;
  /** Content of daemon.json. */
  settings?: object;
  /** Image of the machine, with this generation's engine inside; defaults to the generation's own. */
  machine?: string;
}

/**
 * Starts an engine inside a container of another engine. It has the base image, the given one or none, and sees only
 * the given folders of this machine. Disposing removes it and its volume; its own image stays where the outer engine
 * belongs to the tests.
 */
export async function startEngineContainer(
  outer: string,
  sees: string[] = [],
  name: GenerationName = 'docker 20.10',
  image: string | 'none' = baseImage,
  options: EngineContainerOptions = {},
): Promise<EngineContainer> {
  const known: Generation = generations[name];
  const generation = { ...known, image: options.machine ?? known.image };
  const imported = await ensureTestImage(outer, generation.image);
  const id = await createContainer(outer, sees, generation, options);
  const dispose = async () => {
    await askEngine(outer, 'DELETE', `/containers/${id}?force=1&v=1`);
    if (imported && outer !== ownHost) await removeTestImage(outer, generation.image);
  };
  try {
    await expectStatus(askEngine(outer, 'POST', `/containers/${id}/start`), 204);
    const { port, address } = await readPlace(outer, id);
    const host = `tcp://127.0.0.1:${port}`;
    await waitForEngine(outer, id, host);
    if (image !== 'none') await ensureTestImage(host, image);
    return {
      id,
      host,
      port,
      address,
      kill: () => expectStatus(askEngine(outer, 'POST', `/containers/${id}/kill`), 204),
      freeze: () => expectStatus(askEngine(outer, 'POST', `/containers/${id}/pause`), 204),
      [Symbol.asyncDispose]: dispose,
    };
  } catch (thrown) {
    await dispose();
    throw thrown;
  }
}

async function createContainer(
  outer: string,
  sees: string[],
  generation: Generation,
  { network, settings }: EngineContainerOptions,
): Promise<string> {
  const configure = `mkdir -p /etc/docker; echo '${JSON.stringify(settings)}' >/etc/docker/daemon.json`;
  const { status, text } = await askEngine(outer, 'POST', '/containers/create', {
    json: {
      Image: generation.image,
      Cmd: ['sh', '-c', settings === undefined ? generation.command : `${configure}; ${generation.command}`],
      Labels: { 'io.gbuild.test': 'engine' },
      ExposedPorts: { '2375/tcp': {} },
      HostConfig: {
        ...engineHostConfig(
          sees.map((dir) => `${dir}:${dir}`),
          generation.dataDir,
        ),
        ...generation.hostConfig,
        ...(network !== undefined && { NetworkMode: network }),
        PortBindings: { '2375/tcp': [{ HostIp: '127.0.0.1', HostPort: '0' }] },
      },
    },
  });
  if (status !== 201) throw new Error(`no engine container: ${text}`);
  return (JSON.parse(text) as { Id: string }).Id;
}

/** Returns the settings that a container needs for an engine inside. */
export function engineHostConfig(binds: string[], dataDir = '/var/lib/docker') {
  return {
    Init: true,
    CapAdd: capabilities.split(' '),
    SecurityOpt: ['seccomp=unconfined', 'apparmor=unconfined'],
    Binds: ['/sys/fs/cgroup:/sys/fs/cgroup', ...binds],
    Mounts: [{ Type: 'volume', Target: dataDir }],
  };
}

async function readPlace(outer: string, id: string): Promise<{ port: number; address: string }> {
  const { text } = await askEngine(outer, 'GET', `/containers/${id}/json`);
  const { NetworkSettings } = JSON.parse(text) as {
    NetworkSettings: {
      Ports: Record<string, { HostPort: string }[] | null>;
      Networks: Record<string, { IPAddress: string }>;
    };
  };
  const port = Number(NetworkSettings.Ports['2375/tcp']?.[0]?.HostPort);
  if (!Number.isInteger(port)) throw new Error(`the engine container ${id} publishes no port`);
  return { port, address: Object.values(NetworkSettings.Networks)[0]?.IPAddress ?? '' };
}

async function waitForEngine(outer: string, id: string, host: string): Promise<void> {
  for (let tries = 0; tries < 300; tries += 1) {
    if (await answers(host)) return;
    await sleep(100);
  }
  const { text } = await askEngine(outer, 'GET', `/containers/${id}/logs?stdout=1&stderr=1&tail=30`);
  throw new Error(`the engine in container ${id} does not answer at ${host}:\n${text}`);
}

/** Throws the engine's message for any other status. */
export async function expectStatus(answer: Promise<{ status: number; text: string }>, status: number): Promise<void> {
  const { status: got, text } = await answer;
  if (got !== status) throw new Error(`the engine answered ${got}: ${text}`);
}
