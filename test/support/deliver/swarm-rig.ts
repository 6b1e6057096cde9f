import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { inject } from 'vitest';
import type { ImageRecord } from '../../../src/actions/release/record.ts';
import { askEngine } from '../engines/engine-http.ts';
import { smallImage } from '../images/base-image.ts';
import { startSwarm } from '../remote-engines/swarm.ts';
import { askService, type ServiceAnswer } from './ask-service.ts';
import { type DeliveryRig, openDelivery } from './delivery-rig.ts';

/** Swarm of one node, two releases in its registry, and the docker client that deploys. */
export interface SwarmRig extends AsyncDisposable {
  rig: DeliveryRig;
  release: ImageRecord;
  next: ImageRecord;
  /** Writes the description of the service; `env` is YAML. */
  describe(env: string): void;
  /** Deploys compose files as a user does, with their own client. */
  deploy(stack: string, ...files: string[]): Promise<void>;
  /** Delivers a version and deploys it as the stack `web`. */
  deliverAndDeploy(version: string): Promise<void>;
  /** Asks at a port of the node until this version answers. */
  ask(version: string, port?: number): Promise<ServiceAnswer>;
  /** Lists the image ids of the containers that run for a service. */
  listRunning(service: string): Promise<string[]>;
  untilUpdate(service: string, state: string): Promise<void>;
}

/** Port of the node; the routing mesh needs a kernel that has it. */
export const nodePort = 8090;

const check = `fetch("http://127.0.0.1:8080").then(({ok}) => process.exit(ok ? 0 : 1))`;
const health = `  health: {cmd: [node, -e, '${check}'], interval: 1s, retries: 2}\n`;

export async function openSwarm(word: string): Promise<SwarmRig> {
  const stack = new AsyncDisposableStack();
  try {
    const swarm = stack.use(await startSwarm(inject('engineHost'), 1, smallImage));
    const rig = stack.use(await openDelivery({ word, image: health, registry: swarm.registry }));
    const [release, next] = [await rig.release('1.0.1'), await rig.release('1.0.2')];
    return {
      rig,
      release,
      next,
      ...driveSwarm(rig, swarm.nodes[0]!),
      [Symbol.asyncDispose]: () => stack.disposeAsync(),
    };
  } catch (thrown) {
    await stack.disposeAsync();
    throw thrown;
  }
}

type Driver = Omit<SwarmRig, 'rig' | 'release' | 'next' | typeof Symbol.asyncDispose>;

function driveSwarm(rig: DeliveryRig, { host, address }: { host: string; address: string }): Driver {
  const deploy = async (stack: string, ...files: string[]) => {
    const env = { DOCKER_HOST: host, DOCKER_CONFIG: join(rig.cli.dir, 'home/.docker') };
    const options = files.flatMap((file) => ['--compose-file', file]);
    await execa('docker', ['stack', 'deploy', '--with-registry-auth', ...options, stack], { env, cwd: rig.rootDir });
  };
  return {
    describe: (env) =>
      rig.describe(`  service: {name: hello, health: /health, memory: 128m, cpu: 0.5, env: ${env}, args: ["$a b"]}
  targets:
    swarm: {kind: swarm, options: {ports: host, publish: ${nodePort}}}
    own: {kind: swarm, template: stack.own.yml, options: {service: web}}
`),
    deploy,
    deliverAndDeploy: async (version) => {
      const { dir } = await rig.delivered(['swarm', version, '--output', 'out/swarm']);
      await deploy('web', join(dir!, 'stack.yml'));
    },
    ask: (version, port = nodePort) => askService(`http://${address}:${port}/`, version),
    listRunning: async (service) => {
      const filters = encodeURIComponent(JSON.stringify({ label: [`com.docker.swarm.service.name=${service}`] }));
      const { text } = await askEngine(host, 'GET', `/containers/json?filters=${filters}`);
      return (JSON.parse(text) as { ImageID: string }[]).map(({ ImageID }) => ImageID);
    },
    untilUpdate: async (service, state) => {
      let last = '';
      for (let tries = 0; tries < 1200; tries += 1) {
        const { text } = await askEngine(host, 'GET', `/services/${service}`);
        last = (JSON.parse(text) as { UpdateStatus?: { State: string } }).UpdateStatus?.State ?? '';
        if (last === state) return;
        await sleep(100);
      }
      throw new Error(`the update of ${service} is ${last}, not ${state}`);
    },
  };
}
