import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { execa } from 'execa';
import { ensurePython } from './python-tools.ts';

const platform = '64bit Amazon Linux 2023 v4.5.2 running Docker';

/** Running `eb local run`. */
export interface EbLocal extends AsyncDisposable {
  output(): string;
  ended: Promise<unknown>;
}

/**
 * Runs a bundle's folder as the developers of Elastic Beanstalk do on their machines: `eb local run` builds and starts its
 * container. The only question that it asks Amazon, for the platforms, is answered here.
 */
export async function runLocally(dir: string, engine: string, port: number): Promise<EbLocal> {
  const python = await ensurePython('awsebcli-3.27.5', ['awsebcli==3.27.5']);
  const api = await answerPlatforms();
  mkdirSync(join(dir, '.elasticbeanstalk'), { recursive: true });
  const defaults = { application_name: 'hello', default_platform: platform, default_region: 'us-east-1' };
  writeFileSync(join(dir, '.elasticbeanstalk/config.yml'), JSON.stringify({ global: defaults }));
  const start = `${python} -c "from ebcli.core.ebcore import main; main()" local run --port ${port}`;
  // It asks docker for a terminal: script(1) gives one.
  const child = execa('script', ['-qec', start, '/dev/null'], {
    cwd: dir,
    env: {
      PATH: process.env.PATH,
      HOME: dir,
      DOCKER_HOST: engine,
      // The classic builder, which each engine has.
      DOCKER_BUILDKIT: '0',
      AWS_ENDPOINT_URL: api.url,
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
      AWS_DEFAULT_REGION: 'us-east-1',
    },
    extendEnv: false,
    stdin: 'ignore',
    all: true,
    reject: false,
  });
  let output = '';
  child.all.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  return {
    output: () => output,
    ended: child,
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGKILL');
      await child;
      await api[Symbol.asyncDispose]();
    },
  };
}

const metadata = '<ResponseMetadata><RequestId>1</RequestId></ResponseMetadata>';

async function answerPlatforms(): Promise<AsyncDisposable & { url: string }> {
  const stacks = `<SolutionStacks><member>${platform}</member></SolutionStacks><SolutionStackDetails/>`;
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => {
      body += text;
    });
    request.on('end', () => {
      const action = new URLSearchParams(body).get('Action') ?? '';
      const result = action === 'ListAvailableSolutionStacks' ? stacks : '';
      response.writeHead(200, { 'content-type': 'text/xml' });
      response.end(`<${action}Response><${action}Result>${result}</${action}Result>${metadata}</${action}Response>`);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
