import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** Home of a caller with a docker config, helpers on PATH and certificates for registries. */
export interface RegistryHome extends Disposable {
  homeDir: string;
  env: Record<string, string>;
  configFile: string;
  /** Replaces its docker config. */
  login(config: object | string): void;
  /** Adds a program docker-credential-NAME to its PATH: a shell script that finds the server in `$server`. */
  addHelper(name: string, script: string): void;
  /** Writes a file below ~/.config/docker/certs.d. */
  addCertificate(path: string, pem: string | Buffer): void;
}

export function makeHome(): RegistryHome {
  const homeDir = mkdtempSync(join(tmpdir(), 'gbuild-home-'));
  const write = (path: string, content: string | Buffer, mode = 0o644) => {
    mkdirSync(dirname(join(homeDir, path)), { recursive: true });
    writeFileSync(join(homeDir, path), content, { mode });
  };
  return {
    homeDir,
    env: { PATH: `${join(homeDir, 'bin')}:${process.env.PATH}` },
    configFile: join(homeDir, '.docker/config.json'),
    login: (config) => write('.docker/config.json', typeof config === 'string' ? config : JSON.stringify(config)),
    addHelper: (name, script) =>
      write(`bin/docker-credential-${name}`, `#!/bin/sh\n[ "$1" = get ] || exit 9\nread server\n${script}\n`, 0o755),
    addCertificate: (path, pem) => write(join('.config/docker/certs.d', path), pem),
    [Symbol.dispose]: () => rmSync(homeDir, { recursive: true, force: true }),
  };
}

/** Formats `auth` of an entry in a docker config. */
export function authOf({ user, password }: { user: string; password: string }): { auth: string } {
  return { auth: Buffer.from(`${user}:${password}`).toString('base64') };
}
