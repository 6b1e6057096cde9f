import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, inject } from 'vitest';
import type { DeliveryRecord } from '../../../src/actions/deliver/deliver.ts';
import type { ImageRecord } from '../../../src/actions/release/record.ts';
import { type CallOptions, type Cli, type CliResult, commitAll, openCli } from '../cli/cli.ts';
import { removePulled, removeRepository } from '../engines/engine-images.ts';
import { registryUser, startRegistry, type TestRegistry } from '../registry/registry.ts';
import { authOf } from '../registry/registry-home.ts';

/** Repository with a small web service, a registry that has its releases, and the CLI that delivers them. */
export interface DeliveryRig extends AsyncDisposable {
  cli: Cli;
  /** Name of the image, without registry. */
  name: string;
  rootDir: string;
  registry: TestRegistry;
  /** Changes what the service answers, commits, releases and pushes. */
  release(version: string): Promise<ImageRecord>;
  /** Replaces what stands under `deliver:` in gbuild.yml, written with two blanks in front of each line. */
  describe(deliver: string): void;
  deliver(args: string[], options?: CallOptions): Promise<CliResult>;
  /** Delivers, and expects success. */
  delivered(args: string[], options?: CallOptions): Promise<DeliveryRecord>;
  /** Replaces what differs between runs: names, hosts and digests. */
  plain(text: string): string;
}

export interface DeliveryRigOptions {
  /** Word in the name of the image that no other test file uses. */
  word: string;
  /** Lines of gbuild.yml below `image:`, written with two blanks in front of each. */
  image?: string;
  /** Registry to use, of `registryUser` and without TLS; by default one of the rig's own on this machine. */
  registry?: TestRegistry;
}

/** Answers GET and HEAD at each path: 200 and its version, arguments and variables, or 500 at each path while sick. */
const server = `import { createServer } from 'node:http';
const { GREETING, SICK, PORT = 8080 } = process.env;
const about = { version: VERSION, greeting: GREETING, args: process.argv.slice(2) };
const listener = createServer((request, response) => {
  response.writeHead(SICK ? 500 : 200, { 'content-type': 'application/json' });
  response.end(request.method === 'HEAD' ? undefined : JSON.stringify(about));
}).listen(Number(PORT));
for (const signal of ['SIGTERM', 'SIGINT']) process.once(signal, () => {
  listener.close(() => process.exit(0));
  listener.closeIdleConnections();
});
`;

/** Opens a rig; its image is on the tests' engine, too. */
export async function openDelivery({ word, image = '', registry: given }: DeliveryRigOptions): Promise<DeliveryRig> {
  const engine = inject('engineHost');
  const name = `acme/${word}-${process.pid}`;
  const cli = openCli({ engine });
  const registry = given ?? (await startRegistry());
  if (given !== undefined) logIn(cli, given);
  const head = `gbuild: 1
name: ${name}
registry: ${registry.host}
toolchain: node@^22
image:
  entrypoint: [node, server.js]
  expose: [8080]
  build: false
${image}`;
  const files = {
    'gbuild.yml': head,
    'package.json': JSON.stringify({ name: word, version: '1.0.0', type: 'module', private: true }),
    'server.js': server.replace('VERSION', '"none"'),
  };
  const rootDir = cli.repository(word, files);
  expect((await cli.run(['lock'], { cwd: rootDir })).exitCode).toBe(0);
  const deliver = (args: string[], options: CallOptions = {}) =>
    cli.run(['deliver', ...args], { cwd: rootDir, ...options });
  return {
    cli,
    name,
    rootDir,
    registry,
    release: async (version) => {
      writeFileSync(join(rootDir, 'server.js'), server.replace('VERSION', JSON.stringify(version)));
      commitAll(rootDir, version);
      return readResult(await cli.run(['image', '--release', version, '--push', '--json'], { cwd: rootDir }));
    },
    describe: (text) => {
      writeFileSync(join(rootDir, 'gbuild.yml'), `${head}deliver:\n${text}`);
      commitAll(rootDir, 'delivery');
    },
    deliver,
    delivered: async (args, options) => readResult(await deliver([...args, '--json'], options)),
    plain: (text) =>
      cli
        .plain(text)
        .replaceAll(name, 'acme/NAME')
        .replaceAll(`${word}-${process.pid}`, 'NAME')
        .replaceAll(registry.host, 'REGISTRY')
        .replaceAll(/\b[0-9a-f]{12,64}\b/g, 'ID'),
    [Symbol.asyncDispose]: async () => {
      await removeRepository(engine, name);
      await removePulled(engine, `${registry.host}/${name}`);
      if (given === undefined) await registry[Symbol.asyncDispose]();
      cli[Symbol.dispose]();
    },
  };
}

/** Writes what a user has at home for a registry with a password and without TLS. */
function logIn({ dir }: Cli, { host }: TestRegistry): void {
  const write = (path: string, text: string) => {
    mkdirSync(join(dir, 'home', path, '..'), { recursive: true });
    writeFileSync(join(dir, 'home', path), text);
  };
  write('.config/gbuild/config.yml', `config: 1\nregistries: {"${host}": {insecure: true}}\n`);
  write('.docker/config.json', JSON.stringify({ auths: { [host]: authOf(registryUser) } }));
}

/** Parses the JSON of a call that succeeded. */
export function readResult<T>({ exitCode, stdout, stderr }: CliResult): T {
  expect(exitCode, `${stdout}${stderr}`).toBe(0);
  return JSON.parse(stdout) as T;
}

/** Reads a text of a delivery. */
export function readDelivered({ dir }: DeliveryRecord, path: string): string {
  return readFileSync(join(dir!, path), 'utf8');
}
