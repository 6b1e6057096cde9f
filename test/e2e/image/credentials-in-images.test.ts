import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, inject, test } from 'vitest';
import { connectEngine } from '../../../src/engine/engine.ts';
import { readOwner } from '../../../src/fs/process-owner.ts';
import { commitAll, openCli } from '../../support/cli/cli.ts';
import { endpointOf } from '../../support/engines/endpoint-of.ts';
import { removeRepository } from '../../support/engines/engine-images.ts';
import { runScript } from '../../support/engines/run-script.ts';

const engine = inject('engineHost');
const token = 'token-of-one-person-4711';

const locks = {
  'pnpm@10.33.0': {
    'pnpm-lock.yaml': `lockfileVersion: '9.0'
settings:
  autoInstallPeers: true
  excludeLinksFromLockfile: false
importers:
  .:
    dependencies:
      ms:
        specifier: 2.1.3
        version: 2.1.3
packages:
  ms@2.1.3:
    resolution: {integrity: sha512-6FlzubTLZG3J2a/NVCAleEhjzq5oxgHyaCU9yYXvcLsvoVaHJq/s5xXI6/XXP6tz7R9xAOtHnSO/tXtF3WRTlA==}
snapshots:
  ms@2.1.3: {}
`,
  },
  'yarn@1.22.22': {
    'yarn.lock': `# yarn lockfile v1


ms@2.1.3:
  version "2.1.3"
  integrity sha512-6FlzubTLZG3J2a/NVCAleEhjzq5oxgHyaCU9yYXvcLsvoVaHJq/s5xXI6/XXP6tz7R9xAOtHnSO/tXtF3WRTlA==
`,
  },
};

describe.each(Object.entries(locks))('a service of %s', { timeout: 600_000 }, (manager, lock) => {
  const name = `e2e-token-${manager.split('@')[0]}-${process.pid}`;
  const cli = openCli({ engine });
  const client = connectEngine(endpointOf(engine), { owner: readOwner(), runId: `token-${process.pid}` });
  afterAll(async () => {
    await removeRepository(engine, name);
    client.close();
    cli[Symbol.dispose]();
  });

  test("has neither its caller's token nor the files of one in its image", async () => {
    const rootDir = cli.repository('service', {
      'gbuild.yml': `gbuild: 1\nname: ${name}\ntoolchain: node\n`,
      '.gitignore': 'node_modules/\ndist/\n.npmrc\n.env.local\n',
      'package.json': JSON.stringify({
        name: 'service',
        private: true,
        packageManager: manager,
        engines: { node: '^24' },
        scripts: { build: 'mkdir -p dist && cp server.js dist/', start: 'node dist/server.js' },
        dependencies: { ms: '2.1.3' },
      }),
      'server.js': "console.log(require('ms')(60000));\n",
      ...lock,
    });
    for (const file of ['.npmrc', '.env.local'])
      writeFileSync(join(rootDir, file), `//npm.corp.example/:_authToken=${token}\n`);
    expect((await cli.run(['lock'], { cwd: rootDir })).exitCode).toBe(0);
    commitAll(rootDir, 'all of it');
    const { exitCode, stdout, stderr } = await cli.run(['image', '--release', '1.0.0'], { cwd: rootDir });
    expect(exitCode, `${stdout}${stderr}`).toBe(0);
    const script = `node -e "
      const { readdirSync, readFileSync } = require('node:fs');
      const files = readdirSync('/app', { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
      const paths = files.map((entry) => entry.parentPath + '/' + entry.name);
      console.log(paths.filter((path) => readFileSync(path, 'utf8').includes('${token}')).length, 'with the token');
      console.log(paths.filter((path) => !path.includes('/node_modules/')).sort().join(' '));
    " && node /app/dist/server.js`;
    expect(await runScript(client, `${name}:1.0.0`, script)).toBe(
      '0 with the token\n/app/dist/server.js /app/package.json /app/server.js\n1m\n',
    );
  });
});
