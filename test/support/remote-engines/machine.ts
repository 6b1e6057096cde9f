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

/** The CA roots of a Debian system, as update-ca-certificates leaves them. */
export const systemBundle = '/etc/ssl/certs/ca-certificates.crt';

/** A newcomer's Debian machine without an engine, as a container in which one can be installed and started. */
export interface Machine extends AsyncDisposable {
  run(command: string[], call?: ExecCall): Promise<ExecResult>;
}

export interface MachineOptions {
  /** Folders of this host it sees, read-only: host folder to folder in the machine. */
  sees?: Record<string, string>;
  /** The bundle of CA roots that its system's store has; by default this host's. */
  roots?: string;
  /** With Node 20 and npm 10 on PATH; default true. */
  withNode?: boolean;
  /** What is installed there, and where an engine inside keeps its images; by default neither has an engine. */
  image?: string;
  dataDir?: string;
}

/**
 * Starts a fresh machine on an engine of this host: its own Debian root, with the mirror of this host, and CA roots as a
 * company's machines have them (in the system's store; no variable points at it). Disposing removes it with all it holds.
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

/** Puts a bundle where update-ca-certificates leaves it; the machine's own stays where there is none. */
function systemStore(roots: string): Record<string, string> {
  return existsSync(roots) ? { [roots]: systemBundle } : {};
}

/** Node 20 with npm 10, as packages of the registry, fetched once. */
function ensureOldNode(): Promise<string> {
  const { node, npm } = oldNode;
  return ensureNpmPackages(`node-${node}-npm-${npm}`, [`node-linux-${process.arch}@${node}`, `npm@${npm}`]);
}
