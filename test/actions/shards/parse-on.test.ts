import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { parseOn } from '../../../src/actions/shards/parse-on.ts';
import type { Host } from '../../../src/host.ts';
import { errorOf } from '../../support/assert/error-of.ts';

const homeDir = mkdtempSync(join(tmpdir(), 'gbuild-places-'));
afterAll(() => rmSync(homeDir, { recursive: true }));
const host = { env: {}, homeDir } as Host;

for (const name of ['server', 'both']) {
  const dir = join(homeDir, '.docker/contexts/meta', createHash('sha256').update(name).digest('hex'));
  mkdirSync(dir, { recursive: true });
  const meta = { Name: name, Endpoints: { docker: { Host: `tcp://${name}:2375` } } };
  writeFileSync(join(dir, 'meta.json'), JSON.stringify(meta));
}
for (const name of ['box', 'both']) {
  mkdirSync(join(homeDir, '.docker/machine/machines', name), { recursive: true });
  writeFileSync(join(homeDir, '.docker/machine/machines', name, 'config.json'), '{}');
}

it('knows contexts, machines, addresses, the engine used anyway, and the swarm of the chosen one', () => {
  const executors = parseOn(host, 'server, box,context:both,ssh://ada@there,default,swarm', { context: 'server' });
  expect(executors.map(({ name, kind, choice }) => [name, kind, choice])).toEqual([
    ['server', 'engine', { context: 'server' }],
    ['box', 'engine', { machine: 'box' }],
    ['context:both', 'engine', { context: 'both' }],
    ['ssh://ada@there', 'engine', { host: 'ssh://ada@there' }],
    ['default', 'engine', {}],
    ['swarm', 'swarm', { context: 'server' }],
  ]);
});

it('asks which one is meant where two have a name, and proposes the name that was', async () => {
  const told = async (text: string) => {
    const { message, suggestions } = await errorOf(() => parseOn(host, text, {}));
    return [message.replaceAll(homeDir, 'HOME'), ...suggestions];
  };
  expect([await told('both'), await told('servr')]).toMatchInlineSnapshot(`
    [
      [
        "there is a docker context and a machine of the name both",
        "gbuild test --on context:both",
        "gbuild test --on machine:both",
      ],
      [
        "no engine is called "servr": the docker contexts are default, both, server, the machines in HOME/.docker/machine both, box",
        "gbuild test --on server",
        "gbuild engine ls",
        "gbuild test --on ssh://USER@HOST",
      ],
    ]
  `);
});
