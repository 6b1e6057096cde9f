import type { ImageConfig } from '../oci/spec.ts';

/** Difference of two configs in one setting, as text; `(none)` where it is missing. */
export interface ConfigDifference {
  what: string;
  before: string;
  after: string;
}

/** Compares the settings of two configs: run config, labels, platform; the commit comes first. */
export function compareConfigs(before: ImageConfig, after: ImageConfig): ConfigDifference[] {
  return compareSettings(listSettings(before), listSettings(after));
}

/** Compares the times and histories of two configs, which make no difference to a running container. */
export function compareOrigins(before: ImageConfig, after: ImageConfig): ConfigDifference[] {
  const differences = compareSettings({ created: before.created }, { created: after.created });
  const isSameHistory = JSON.stringify(before.history) === JSON.stringify(after.history);
  return isSameHistory ? differences : [...differences, { what: 'history', before: 'one', after: 'another' }];
}

/** Returns the key of an OCI annotation or label. */
export function labelOf(name: string): string {
  return `org.opencontainers.image.${name}`;
}

function compareSettings(old: Record<string, unknown>, now: Record<string, unknown>): ConfigDifference[] {
  return [...new Set([...Object.keys(old), ...Object.keys(now)])]
    .filter((what) => textOf(old[what]) !== textOf(now[what]))
    .map((what) => ({ what, before: textOf(old[what]), after: textOf(now[what]) }));
}

function listSettings({ config = {}, architecture, os, variant }: ImageConfig): Record<string, unknown> {
  const { [labelOf('revision')]: commit, ...labels } = config.Labels ?? {};
  return {
    commit,
    entrypoint: config.Entrypoint,
    cmd: config.Cmd,
    ...Object.fromEntries(
      (config.Env ?? []).map((line) => splitEnv(line)).map(([name, value]) => [`env ${name}`, value]),
    ),
    user: config.User,
    expose: config.ExposedPorts && Object.keys(config.ExposedPorts),
    volumes: config.Volumes && Object.keys(config.Volumes),
    workdir: config.WorkingDir,
    health: config.Healthcheck,
    'stop signal': config.StopSignal,
    platform: [os, architecture, variant].filter(Boolean).join('/'),
    ...Object.fromEntries(Object.entries(labels).map(([name, value]) => [`label ${name}`, value])),
  };
}

/** Splits `NAME=value`. */
export function splitEnv(line: string): [string, string] {
  const at = line.indexOf('=');
  return at === -1 ? [line, ''] : [line.slice(0, at), line.slice(at + 1)];
}

/** Returns the text: engines write a missing value in many forms. */
function textOf(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
  return ['', 'null', '[]', '{}'].includes(text) ? '(none)' : text;
}
