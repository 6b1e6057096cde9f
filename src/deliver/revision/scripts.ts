import { scriptFile, type TextFile } from '../files.ts';
import type { Service } from '../service.ts';
import { literalWords, quoteBash } from './bash.ts';

/** Container of a service on a machine, and how long a new one has to become healthy. */
export interface HostContainer {
  name: string;
  image: string;
  /** Port of the machine; undefined where the service has none. */
  port: number | undefined;
  /** Path that answers HEAD with 200; undefined where nothing tells. */
  health: string | undefined;
  attempts: number;
  /** Seconds between two attempts. */
  interval: number;
}

/** Words of `docker run`, each with its option. */
export interface RunWords {
  options: string[];
  variables: string[];
  volumes: string[];
}

/** Lists what gbuild.yml says of the service as words of `docker run`. */
export function listRunWords({ cpu, memory, env, volumes }: Service): RunWords {
  return {
    options: [
      ...(memory === undefined ? [] : ['--memory', String(memory)]),
      ...(cpu === undefined ? [] : ['--cpus', String(cpu)]),
    ],
    variables: Object.entries(env).flatMap(([key, value]) => ['--env', `${key}=${value}`]),
    volumes: volumes.flatMap(({ from, to, readOnly }) => ['--volume', `${from}:${to}${readOnly ? ':ro' : ''}`]),
  };
}

/** Name of the file that all scripts of a revision read. */
export const commonName = 'common_functions.sh';

/** Makes the file that all scripts of a revision read; `more` are further lines. */
export function commonFile(container: HostContainer, more: readonly string[] = []): TextFile {
  const { name, image, port, health, attempts, interval } = container;
  const url = port !== undefined && health !== undefined ? `http://localhost:${port}${health}` : '';
  const lines = [
    '#!/usr/bin/env bash',
    '# Read by the scripts of this revision.',
    // Each script uses some of them.
    '# shellcheck disable=SC2034',
    literalWords,
    '',
    `service=${quoteBash(name)}`,
    `image=${quoteBash(image)}`,
    `port=${port ?? ''}`,
    `health_url=${quoteBash(url)}`,
    `attempts=${attempts}`,
    `interval=${interval}`,
    ...more,
    '',
    functions,
  ];
  return scriptFile(commonName, lines.join('\n'));
}

const functions = String.raw`say() { echo "${'$'}{0##*/}: $*"; }

fail() {
  say "$*" >&2
  exit 1
}

# Removes the container of the service, and any that holds its port: a machine runs one of them.
remove_container() {
  local ids id
  ids=$(docker ps --all --quiet --filter "name=^/${'$'}{service//./\\.}$")
  if [[ -n $port ]]; then ids+=" $(docker ps --all --quiet --filter "publish=$port")"; fi
  for id in $(tr ' ' '\n' <<<"$ids" | sort --unique); do
    say "removing the container $id"
    docker stop --time 30 "$id" >/dev/null
    docker rm --force --volumes "$id" >/dev/null
  done
}`;

/**
 * Makes a script that reads the common file and ends at the first command that fails. `-u` is missing, for bash 4.2
 * takes an empty array for unset.
 */
export function hookScript(name: string, body: string): TextFile {
  const read = [`# shellcheck source=${commonName}`, `. "$(dirname "$0")/${commonName}"`];
  const head = ['#!/usr/bin/env bash', 'set -eo pipefail', ...read];
  return scriptFile(name, [...head, '', body].join('\n'));
}

/**
 * Waits until the new container is healthy: its path answers HEAD with 200, or, where there is none, it runs through
 * all attempts. A container that ended or was started again fails at once.
 */
export const validateBody = `for ((attempt = 1; attempt <= attempts; attempt += 1)); do
  state=$(docker inspect --format '{{.State.Running}} {{.RestartCount}}' "$service") || fail 'it has no container'
  if [[ $state != 'true 0' ]]; then break; fi
  if [[ -z $health_url ]]; then
    say "it runs ($attempt of $attempts)"
    if ((attempt == attempts)); then exit 0; fi
  else
    status=$(curl --silent --head --output /dev/null --max-time 10 --write-out '%{http_code}' "$health_url") || true
    say "HEAD $health_url: $status ($attempt of $attempts)"
    if [[ $status == 200 ]]; then exit 0; fi
  fi
  sleep "$interval"
done
docker logs --tail 50 "$service" >&2 || true
fail "$image did not become healthy"`;
