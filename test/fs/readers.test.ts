import { mkdirSync, symlinkSync } from 'node:fs';
import { dirname } from 'node:path';
import { createFixture } from 'fs-fixture';
import { expect, test } from 'vitest';
import { readUserConfig } from '../../src/actions/session/user-config.ts';
import { readContext } from '../../src/engine/endpoint/docker-config.ts';
import { readMachine } from '../../src/engine/endpoint/machine-store.ts';
import { readTlsFolder } from '../../src/engine/endpoint/tls.ts';
import type { GbuildError } from '../../src/errors.ts';
import { exitCodes } from '../../src/errors.ts';
import type { Host } from '../../src/host.ts';
import { findCredentials } from '../../src/registry/auth/credentials.ts';
import { addressOf } from '../../src/registry/http/address.ts';
import { readRegistryTls } from '../../src/registry/http/certificates.ts';
import { readSecret } from '../../src/secrets/read-secret.ts';

import { readHostFiles } from '../../src/toolchain/host/host-files.ts';
import { readDockerignore } from '../../src/workspace/dockerignore.ts';
import { readProductionPaths } from '../../src/workspace/node/npm.ts';
import { errorOf } from '../support/assert/error-of.ts';

const registry = addressOf('r.test');
const signal = new AbortController().signal;

/** By the file that is read, below a folder that is both home and repository. */
const readers: Record<string, (dir: string, host: Host) => unknown> = {
  '.dockerignore': (dir) => readDockerignore(dir),
  'package-lock.json': (dir) => readProductionPaths(dir),
  'node_modules/.package-lock.json': (dir) => readProductionPaths(dir),
  'secret.txt': (rootDir, host) =>
    readSecret('one', { file: 'secret.txt' }, { rootDir, host, signal, hasConsent: true }),
  '.npmrc': (_, host) => readHostFiles(host, [{ from: '.npmrc', to: '/etc/npmrc' }]),
  'config/config.yml': (_, host) => readUserConfig(host),
  '.docker/config.json': (_, host) => findCredentials(registry, host, signal),
  '.docker/contexts/meta/512eea46ceb3921dff4363c7069d89d4964d1d9fccaa0f411851a7aa60a5c868/meta.json': (_, host) =>
    readContext(host, 'far', 'a test'),
  '.docker/machine/machines/far/config.json': (_, host) => readMachine(host, 'far', 'a test'),
  '.config/docker/certs.d/r.test/root.crt': (_, host) => readRegistryTls(registry, host, ''),
  'ca.pem': (dir) => readTlsFolder(dir, true, {}),
};

test.each(Object.keys(readers))('%s is not read where it is a device, and the error names it', async (file) => {
  await using fixture = await createFixture();
  mkdirSync(dirname(fixture.getPath(file)), { recursive: true });
  // Reading this one would end at once, with nothing.
  symlinkSync('/dev/null', fixture.getPath(file));
  const host = { homeDir: fixture.path, configDir: fixture.getPath('config'), env: {} } as Host;
  const { code, message } = await errorOf(() => readers[file]!(fixture.path, host));
  expect([exitCodes[code as GbuildError['code']], message]).toEqual([
    2,
    expect.stringContaining('a device, not a file'),
  ]);
  expect(message.replaceAll('//', '/')).toContain(fixture.getPath(file));
});
