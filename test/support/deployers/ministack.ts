import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { askEngine } from '../engines/engine-http.ts';
import { findFreePort } from '../registry/registry.ts';
import { ensurePython, linkModule } from './python-tools.ts';

const packages = ['ministack==1.5.33', 'ecs-deploy==1.17.0', 'awscli==1.46.3', 'docker==7.2.0'];

/** Server that answers as Amazon ECS does, and runs the tasks as containers of an engine; and the tools of its users. */
export interface Ministack extends AsyncDisposable {
  /** Folder with the program `aws`, for PATH. */
  binDir: string;
  /** Runs `aws`, expects success, and parses the answer. */
  aws<T>(args: string[], cwd?: string): Promise<T>;
  /** Sends an operation such as `DescribeServices`: many times faster than the program. */
  ask<T>(operation: string, parameters: object): Promise<T>;
  /** Runs `ecs`, the program of ecs-deploy. Returns its output and its exit code. */
  ecsDeploy(args: string[]): Promise<{ exitCode: number | undefined; output: string }>;
  /** Lists the running containers whose label of ECS has this value, newest first. */
  listRunning(label: 'container-name' | 'task-arn', value: string): Promise<RunningContainer[]>;
}

export interface RunningContainer {
  id: string;
  imageId: string;
  /** Ports of the machine that lead to it. */
  ports: number[];
}

/** Starts the server on a port of its own. Its containers are removed at the end. */
export async function startMinistack(engine: string): Promise<Ministack> {
  const python = await ensurePython('ministack-1.5.33', packages);
  const port = await findFreePort();
  const home = mkdtempSync(join(tmpdir(), 'gbuild-ministack-'));
  linkModule(home, 'aws', python, 'awscli');
  const server = { GATEWAY_PORT: String(port), BIND_HOST: '127.0.0.1', IOT_MTLS_ENABLED: '0', DOCKER_HOST: engine };
  const child = spawn(python, ['-m', 'ministack'], {
    cwd: home,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env.PATH, HOME: home, MINISTACK_HOSTNAME: `gbuild-test-${process.pid}`, ...server },
  });
  let log = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      log += text;
    });
  const owner = `ministack.instance=gbuild-test-${process.pid}:${port}`;
  const dispose = async () => {
    await endProcess(child);
    for (const { Id } of await listContainers(engine, owner, true))
      await askEngine(engine, 'DELETE', `/containers/${Id}?force=1&v=1`);
    rmSync(home, { recursive: true, force: true });
  };
  const url = `http://127.0.0.1:${port}`;
  for (let tries = 0; !(await answers(url)); tries += 1) {
    if (child.exitCode !== null || tries > 2400) {
      await dispose();
      throw new Error(`ministack did not start:\n${log}`);
    }
    await sleep(50);
  }
  const key = { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test', AWS_DEFAULT_REGION: 'us-east-1' };
  const env = { PATH: process.env.PATH, HOME: home, AWS_ENDPOINT_URL: url, AWS_PAGER: '', ...key };
  const options = { env, extendEnv: false, stdin: 'ignore', all: true, reject: false } as const;
  return {
    binDir: home,
    aws: async (args, cwd = home) => {
      const { exitCode, stdout, all } = await execa(python, ['-m', 'awscli', ...args, '--output', 'json'], {
        ...options,
        cwd,
      });
      if (exitCode !== 0) throw new Error(`aws ${args.join(' ')} failed:\n${all}\n${log}`);
      return JSON.parse(stdout || 'null');
    },
    ask: async (operation, parameters) => {
      const answer = await fetch(url, {
        method: 'POST',
        headers: {
          'content-type': 'application/x-amz-json-1.1',
          'x-amz-target': `AmazonEC2ContainerServiceV20141113.${operation}`,
          authorization:
            'AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/ecs/aws4_request, SignedHeaders=host, Signature=0',
        },
        body: JSON.stringify(parameters),
      });
      const text = await answer.text();
      if (!answer.ok) throw new Error(`${operation}: ${answer.status} ${text}`);
      return JSON.parse(text);
    },
    ecsDeploy: async (args) => {
      const start = 'from ecs_deploy.cli import ecs; ecs()';
      const { exitCode, all } = await execa(python, ['-c', start, ...args], { ...options, cwd: home });
      return { exitCode, output: all };
    },
    listRunning: async (label, value) => {
      const found = await listContainers(engine, `com.amazonaws.ecs.${label}=${value}`, false);
      return found.map(({ Id, ImageID, Ports }) => ({
        id: Id,
        imageId: ImageID,
        ports: Ports.flatMap(({ PublicPort, IP }) => (PublicPort === undefined || IP === '::' ? [] : [PublicPort])),
      }));
    },
    [Symbol.asyncDispose]: dispose,
  };
}

interface ListedContainer {
  Id: string;
  ImageID: string;
  Ports: { PublicPort?: number; IP?: string }[];
}

async function listContainers(engine: string, label: string, all: boolean): Promise<ListedContainer[]> {
  const filters = encodeURIComponent(JSON.stringify({ label: [label] }));
  const { text } = await askEngine(engine, 'GET', `/containers/json?all=${all ? 1 : 0}&filters=${filters}`);
  return JSON.parse(text) as ListedContainer[];
}

async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/_ministack/health`)).ok;
  } catch {
    return false;
  }
}

async function endProcess(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await ended;
}
