import { createHash } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { GbuildError, messageOf } from '../../errors.ts';
import { largestSettings, readWhole } from '../../fs/read-bounded.ts';
import type { Host } from '../../host.ts';
import { readField, readText } from '../answer/json.ts';

/** Context of the docker client, as `docker context ls` lists it. */
export interface DockerContext {
  name: string;
  /** Address of the engine as the context spells it. */
  host: string;
  skipVerify: boolean;
  /** Set when the context has TLS files. */
  tlsDirectory?: string;
}

/** Reads the current context of the docker config and the file that names it; `undefined` without one. */
export function readCurrentContext(host: Host): { name: string; file: string } | undefined {
  const file = join(configDir(host), 'config.json');
  const name = readText(readJson(file), 'currentContext');
  return name ? { name, file } : undefined;
}

/**
 * Reads one context by name from `contexts/meta/<sha256 of the name>/meta.json`.
 *
 * @throws GbuildError `usage` with the names that exist
 */
export function readContext(host: Host, name: string, from: string): DockerContext {
  const file = join(configDir(host), 'contexts/meta', idOf(name), 'meta.json');
  const context = existsSync(file) ? parseContext(host, readJson(file)) : undefined;
  if (context !== undefined) return context;
  const names = listContexts(host).map((each) => each.name);
  const near = nearest(name, names);
  throw new GbuildError(
    'usage',
    `${from}: no docker context "${name}" in ${configDir(host)}${near === undefined ? '' : `; did you mean "${near}"?`} ` +
      `(there: ${['default', ...names].join(', ')})`,
    { suggestions: ['docker context ls', near === undefined ? 'gbuild doctor' : `gbuild doctor --context ${near}`] },
  );
}

/** Lists every readable context of the docker config, sorted by name. */
export function listContexts(host: Host): DockerContext[] {
  const directory = join(configDir(host), 'contexts/meta');
  if (!existsSync(directory)) return [];
  return readdirSync(directory)
    .map((id) => join(directory, id, 'meta.json'))
    .filter((file) => existsSync(file))
    .map((file) => parseContext(host, readJson(file)))
    .filter((context) => context !== undefined)
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

function parseContext(host: Host, meta: unknown): DockerContext | undefined {
  const name = readText(meta, 'Name');
  const docker = readField(readField(meta, 'Endpoints'), 'docker');
  const address = readText(docker, 'Host');
  if (name === undefined || !address) return undefined;
  const tlsDirectory = join(configDir(host), 'contexts/tls', idOf(name), 'docker');
  return {
    name,
    host: address,
    skipVerify: readField(docker, 'SkipTLSVerify') === true,
    ...(existsSync(tlsDirectory) && { tlsDirectory }),
  };
}

function configDir(host: Host): string {
  return host.env.DOCKER_CONFIG || join(host.homeDir, '.docker');
}

function idOf(name: string): string {
  return createHash('sha256').update(name).digest('hex');
}

function readJson(file: string): unknown {
  if (!existsSync(file)) return undefined;
  try {
    return JSON.parse(readWhole(file, largestSettings).toString());
  } catch (thrown) {
    throw new GbuildError('usage', `cannot read the docker config ${file}: ${messageOf(thrown)}`, {
      suggestions: [`ls -l ${file}`, 'docker context ls', 'DOCKER_CONTEXT=default gbuild doctor'],
      cause: thrown,
      facts: { file },
    });
  }
}

/** Finds the candidate that shares a start or differs in case; a context list is short, so that is enough. */
function nearest(name: string, candidates: string[]): string | undefined {
  const low = name.toLowerCase();
  return candidates.find(
    (each) => each.toLowerCase().startsWith(low.slice(0, 3)) || low.startsWith(each.toLowerCase()),
  );
}
