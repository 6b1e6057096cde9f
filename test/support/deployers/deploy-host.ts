import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type EngineContainer, startEngineContainer } from '../engines/engine-container.ts';
import { type ExecCall, type ExecResult, execIn } from '../engines/exec-in.ts';
import { deployHostImage } from '../images/base-image.ts';

/**
 * Machine of a fleet: a container with a file system and an engine of its own, EC2's metadata and an `aws` that knows
 * one instance. Scripts of deployers run in it, so that nothing of this machine changes.
 */
export interface DeployHost extends AsyncDisposable {
  engine: EngineContainer;
  /** Folder of this machine that the host sees under the same path. */
  sharedDir: string;
  run(command: string[], call?: ExecCall): Promise<ExecResult>;
  /** Runs a script of bash. Returns its standard output. Throws with its output when it fails. */
  must(script: string, ...args: string[]): Promise<string>;
  /** Lets the host reach a port of this machine's loopback address under the same address. */
  relay(port: number): Promise<void>;
}

export interface DeployHostOptions {
  /** Value of the instance's tag Environment. */
  environment: string;
}

export const metadataAddress = 'http://127.0.0.1:1338';

/** Answers as EC2's metadata of version 2, which wants a token first. */
const metadata = `#!/bin/bash
read -r verb path _
token=
while read -r line && line=\${line%$'\\r'} && [[ -n $line ]]; do
  if [[ \${line,,} == 'x-aws-ec2-metadata-token: of-the-tests' ]]; then token=yes; fi
done
answer() { printf 'HTTP/1.1 %s\\r\\nContent-Length: %s\\r\\nConnection: close\\r\\n\\r\\n%s' "$1" "\${#2}" "$2"; }
case "$verb $path $token" in
  'PUT /latest/api/token '*) answer '200 OK' of-the-tests ;;
  'GET /latest/meta-data/instance-id yes') answer '200 OK' i-0123456789abcdef0 ;;
  'GET /latest/meta-data/placement/region yes') answer '200 OK' us-east-1 ;;
  *' yes') answer '404 Not Found' '' ;;
  *) answer '401 Unauthorized' '' ;;
esac
`;

/** Instance in an Auto Scaling group of two, both of which it needs; each call is written down. */
const aws = `#!/bin/bash
dir=/var/lib/fake-aws
echo "$*" >>"$dir/calls"
case "$1 $2" in
  'ec2 describe-tags') cat "$dir/environment" ;;
  'autoscaling describe-auto-scaling-instances') echo "fleet	$(cat "$dir/state")" ;;
  'autoscaling describe-auto-scaling-groups')
    if [[ $* == *DesiredCapacity* ]]; then echo "$(cat "$dir/least")	2"; else cat "$dir/least"; fi ;;
  'autoscaling update-auto-scaling-group') echo "\${*: -1}" >"$dir/least" ;;
  'autoscaling enter-standby') echo Standby >"$dir/state" ;;
  'autoscaling exit-standby') echo InService >"$dir/state" ;;
  *) echo "aws of the tests does not know $*" >&2; exit 2 ;;
esac
`;

const setUp = `mkdir -p /var/lib/fake-aws
printf %s "$1" >/usr/local/bin/metadata
printf %s "$2" >/usr/local/bin/aws
chmod +x /usr/local/bin/metadata /usr/local/bin/aws
echo InService >/var/lib/fake-aws/state
echo 2 >/var/lib/fake-aws/least
echo "$3" >/var/lib/fake-aws/environment
socat TCP-LISTEN:1338,fork,reuseaddr,bind=127.0.0.1 EXEC:/usr/local/bin/metadata >/dev/null 2>&1 &
`;

/** Starts a host. */
export async function startDeployHost(outer: string, { environment }: DeployHostOptions): Promise<DeployHost> {
  await using stack = new AsyncDisposableStack();
  const sharedDir = mkdtempSync(join(tmpdir(), 'gbuild-deploy-host-'));
  stack.defer(() => rmSync(sharedDir, { recursive: true, force: true }));
  chmodSync(sharedDir, 0o755);
  const options = { machine: deployHostImage };
  const engine = stack.use(await startEngineContainer(outer, [sharedDir], 'docker 20.10', 'none', options));
  const run: DeployHost['run'] = (command, call) => execIn(outer, engine.id, command, call);
  const must: DeployHost['must'] = async (script, ...args) => {
    const { exitCode, stdout, output } = await run(['bash', '-euc', script, 'bash', ...args]);
    if (exitCode !== 0) throw new Error(`${script} ${args.join(' ')} failed (${exitCode}):\n${output}`);
    return stdout.trimEnd();
  };
  await must(setUp, metadata, aws, environment);
  await waitForPort(run, Number(new URL(metadataAddress).port));
  const relays = stack.use(new AsyncDisposableStack());
  const relay: DeployHost['relay'] = async (port) => {
    const socket = join(sharedDir, `relay-${port}`);
    relays.use(await forward(socket, port));
    await must(
      'socat "TCP-LISTEN:$1,fork,reuseaddr,bind=127.0.0.1" "UNIX-CONNECT:$2" >/dev/null 2>&1 &',
      String(port),
      socket,
    );
    await waitForPort(run, port);
  };
  const moved = stack.move();
  return { engine, sharedDir, run, must, relay, [Symbol.asyncDispose]: () => moved.disposeAsync() };
}

async function waitForPort(run: DeployHost['run'], port: number): Promise<void> {
  for (let tries = 0; (await run(['bash', '-c', `: </dev/tcp/127.0.0.1/${port}`])).exitCode !== 0; tries += 1) {
    if (tries > 600) throw new Error(`nobody listens on port ${port} of the host`);
    await sleep(100);
  }
}

/** Forwards a socket to a port of this machine's loopback address. */
async function forward(socket: string, port: number): Promise<AsyncDisposable> {
  const server = createServer((inner) => {
    const outer = connect(port, '127.0.0.1');
    inner.pipe(outer).on('error', () => inner.destroy());
    outer.pipe(inner).on('error', () => outer.destroy());
  });
  await new Promise<void>((resolve) => server.unref().listen(socket, resolve));
  return { [Symbol.asyncDispose]: () => new Promise((resolve) => server.close(() => resolve())) };
}
