import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { parseAptOptions } from '../../../src/toolchain/build/apt-setup.ts';
import { ensureNpmPackages } from '../cli/node-versions.ts';
import { engineHostConfig, expectStatus } from '../engines/engine-container.ts';
import { askEngine } from '../engines/engine-http.ts';
import { type ExecCall, type ExecResult, execIn } from '../engines/exec-in.ts';
import { ownHost } from '../engines/test-engine.ts';
import { ensureTestImage, machineImage, removeTestImage } from '../images/base-image.ts';

const oldNode = { node: '20.19.6', npm: '10.9.4' };
const oldNodeDir = '/opt/old-node';

/** CA roots of a Debian system, where update-ca-certificates writes them. */
export const systemBundle = '/etc/ssl/certs/ca-certificates.crt';

/** Fresh Debian machine of a newcomer without an engine, as a container in which one can be installed and started. */
export interface Machine extends AsyncDisposable {
  run(command: string[], call?: ExecCall): Promise<ExecResult>;
}

export interface MachineOptions {
  /** Folders of this host that it sees, read-only: host folder to folder in the machine. */
  sees?: Record<string, string>;
  /** Bundle of CA roots in its system's store; defaults to this host's. */
  roots?: string;
  /** Whether Node 20 and npm 10 are on PATH; default true. */
  withNode?: boolean;
  /** Image with its programs, and the folder for images of an engine inside; by default neither has an engine. */
  image?: string;
  dataDir?: string;
}

/**
 * Starts a fresh machine on an engine of this host: a Debian root with this host's mirror. It has CA roots like a
 * company's machine, in the system's store without a variable. Disposing removes it with all its data.
 */
export async function startMachine(
  host: string,
  { sees = {}, roots = systemBundle, withNode = true, image = machineImage, dataDir }: MachineOptions = {},
): Promise<Machine> {
  const imported = await ensureTestImage(host, image);
  const nodes = withNode ? { [await ensureOldNode()]: oldNodeDir } : {};
  const id = await createMachine(host, { ...sees, ...nodes, ...systemStore(roots) }, { image, dataDir });
  const dispose = async () => {
    await askEngine(host, 'DELETE', `/containers/${id}?force=1&v=1`);
    if (imported && host !== ownHost) await removeTestImage(host, image);
  };
  const run = (command: string[], call?: ExecCall) => execIn(host, id, command, call);
  try {
    await expectStatus(askEngine(host, 'POST', `/containers/${id}/start`), 204);
    const { stdout } = spawnSync('apt-config', ['dump', 'Acquire'], { encoding: 'utf8' });
    const apt = `${parseAptOptions(stdout).join('\n')}\n`;
    await run(['sh', '-c', 'mount -o remount,rw /proc/sys; printf %s "$1" >/etc/apt/apt.conf.d/99host', 'sh', apt]);
    return { run, [Symbol.asyncDispose]: dispose };
  } catch (thrown) {
    await dispose();
    throw thrown;
  }
}

async function createMachine(
  host: string,
  sees: Record<string, string>,
  { image, dataDir }: { image: string; dataDir: string | undefined },
): Promise<string> {
  const { status, text } = await askEngine(host, 'POST', '/containers/create', {
    json: {
      Image: image,
      Cmd: ['sleep', 'infinity'],
      Env: [`PATH=${oldNodeDir}/node_modules/.bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`],
      Labels: { 'io.gbuild.test': 'machine' },
      HostConfig: engineHostConfig(
        Object.entries(sees).map(([from, to]) => `${from}:${to}:ro`),
        dataDir,
      ),
    },
  });
  if (status !== 201) throw new Error(`no machine: ${text}`);
  return (JSON.parse(text) as { Id: string }).Id;
}

/** Mounts a bundle where update-ca-certificates writes it; without one the machine's own stays. */
function systemStore(roots: string): Record<string, string> {
  return existsSync(roots) ? { [roots]: systemBundle } : {};
}

/** Fetches Node 20 with npm 10 from packages of the registry, once. */
function ensureOldNode(): Promise<string> {
  const { node, npm } = oldNode;
  return ensureNpmPackages(`node-${node}-npm-${npm}`, [`node-linux-${process.arch}@${node}`, `npm@${npm}`]);
}
