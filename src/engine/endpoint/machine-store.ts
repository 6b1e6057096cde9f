import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { GbuildError, messageOf } from '../../errors.ts';
import { largestSettings, readWhole } from '../../fs/read-bounded.ts';
import type { Host } from '../../host.ts';
import { readField, readNumber, readText } from '../answer/json.ts';
import { type EngineTls, readTlsFolder } from './tls.ts';

/** Machine as docker-machine stores it. */
export interface StoredMachine {
  name: string;
  driver: string;
  /** Address such as `tcp://IP:PORT`; undefined for a machine that never had one. */
  url: string | undefined;
  tlsVerify: boolean;
  /** Folders that may hold its client certificates, the likeliest first. */
  certDirs: string[];
}

/** Format that docker-machine has written since 2015, its last one. */
const knownVersion = 3;
const enginePort = 2376;

/** Returns the folder of docker-machine's machines. */
export function machineStore(host: Host): string {
  return host.env.MACHINE_STORAGE_PATH || join(host.homeDir, '.docker/machine');
}

/** Lists the names in the store, sorted. */
export function listMachines(host: Host): string[] {
  const machines = join(machineStore(host), 'machines');
  if (!existsSync(machines)) return [];
  return readdirSync(machines)
    .filter((name) => existsSync(join(machines, name, 'config.json')))
    .sort();
}

/**
 * Reads machines/NAME/config.json of the store.
 *
 * @throws GbuildError `usage` for a missing machine and for an unknown format
 */
export function readMachine(host: Host, name: string, from: string): StoredMachine {
  const dir = join(machineStore(host), 'machines', name);
  const file = join(dir, 'config.json');
  if (!/^[\w][\w.-]*$/.test(name) || !existsSync(file)) throw unknownMachine(host, name, from);
  return parseMachine(readJson(file), name, dir, file);
}

/** Parses a config.json, from the store or from `docker-machine inspect`. */
export function parseMachine(json: unknown, name: string, dir: string, file: string): StoredMachine {
  const version = readNumber(json, 'ConfigVersion');
  if (version !== knownVersion) throw unknownForm(file, version);
  const options = readField(json, 'HostOptions');
  const certDir = readText(readField(options, 'AuthOptions'), 'CertDir');
  const driver = readText(json, 'DriverName') ?? '';
  return {
    name,
    driver,
    url: readUrl(readField(json, 'Driver'), driver),
    tlsVerify: readField(readField(options, 'EngineOptions'), 'TlsVerify') !== false,
    certDirs: [dir, ...(certDir ? [certDir] : []), join(dirname(dirname(dir)), 'certs')],
  };
}

/**
 * Reads the client certificates of a machine. A machine of driver none uses those of the store's authority.
 *
 * @throws GbuildError `usage` for a machine without TLS: gbuild never lowers the requested protection
 */
export function readMachineTls({ name, tlsVerify, certDirs }: StoredMachine): EngineTls {
  if (!tlsVerify)
    throw new GbuildError('usage', `the machine ${name} was made without TLS: anybody could answer in its place`, {
      suggestions: [
        `docker-machine inspect ${name}`,
        'gbuild engine use tcp://HOST:PORT   # only if nobody else can answer',
      ],
    });
  for (const dir of certDirs) {
    const tls = readTlsFolder(dir, true, {});
    if (tls.ca !== undefined && tls.cert !== undefined) return tls;
  }
  throw new GbuildError('usage', `the machine ${name} has no client certificates in ${certDirs.join(' or ')}`, {
    suggestions: [`docker-machine regenerate-certs ${name}`],
  });
}

/** Reports an unknown machine, with the names in the store. */
export function unknownMachine(host: Host, name: string, from: string): GbuildError {
  const names = listMachines(host);
  const there = names.length > 0 ? `(there: ${names.join(', ')})` : '(there are none)';
  return new GbuildError('usage', `${from}: no machine "${name}" in ${machineStore(host)} ${there}`, {
    suggestions: ['docker-machine ls', 'gbuild engine ls'],
  });
}

/**
 * Returns the machine's URL. It is stored for driver none only; the other machines listen at their address on
 * docker-machine's port.
 */
function readUrl(driver: unknown, name: string): string | undefined {
  if (name === 'none') return readText(driver, 'URL') || undefined;
  const address = readText(driver, 'IPAddress');
  if (!address) return undefined;
  const port = readNumber(driver, 'EnginePort') || enginePort;
  return `tcp://${address.includes(':') ? `[${address}]` : address}:${port}`;
}

function unknownForm(file: string, version: number | undefined): GbuildError {
  const isNewer = version !== undefined && version > knownVersion;
  const what = version === undefined ? 'says no ConfigVersion' : `has ConfigVersion ${version}`;
  return new GbuildError('usage', `${file} ${what}; gbuild reads ${knownVersion}`, {
    suggestions: [
      isNewer ? 'install docker-machine, which gbuild then asks' : 'docker-machine ls   # brings it up to date',
    ],
    facts: { file, ...(version !== undefined && { version }) },
  });
}

function readJson(file: string): unknown {
  try {
    return JSON.parse(readWhole(file, largestSettings).toString());
  } catch (cause) {
    throw new GbuildError('usage', `cannot read the machine in ${file}: ${messageOf(cause)}`, {
      suggestions: [`ls -l ${file}`, 'docker-machine ls'],
      cause,
      facts: { file },
    });
  }
}
