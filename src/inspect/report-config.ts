import type { ImageConfig } from '../oci/spec.ts';
import { labelOf, splitEnv } from './compare-configs.ts';

/** Run config of an image. */
export interface ConfigReport {
  entrypoint: string[];
  cmd: string[];
  user?: string;
  workdir?: string;
  env: { name: string; value: string }[];
  ports: string[];
  volumes: string[];
  health?: string[];
  labels: Record<string, string>;
}

/** Reads the labels of gbuild and others about the image's origin. */
export function readLabels(labels: Record<string, string>) {
  const label = (name: string) => labels[labelOf(name)];
  const baseDigest = label('base.digest');
  const facts = {
    version: label('version'),
    commit: label('revision'),
    source: label('source'),
    toolchain: labels['io.gbuild.toolchain'],
  };
  const known = Object.entries(facts).filter((pair): pair is [string, string] => pair[1] !== undefined);
  const base = label('base.name');
  return {
    ...(Object.fromEntries(known) as Partial<Record<keyof typeof facts, string>>),
    ...(base !== undefined && { base: { name: base, ...(baseDigest !== undefined && { digest: baseDigest }) } }),
  };
}

/** Reads the settings in any engine's form. */
export function reportConfig({ config = {} }: ImageConfig): ConfigReport {
  const labels = Object.entries(config.Labels ?? {}).map(([name, value]) => [name, String(value)]);
  return {
    entrypoint: readTexts(config.Entrypoint),
    cmd: readTexts(config.Cmd),
    ...(config.User && { user: String(config.User) }),
    ...(config.WorkingDir && { workdir: String(config.WorkingDir) }),
    env: readTexts(config.Env)
      .map(splitEnv)
      .map(([name, value]) => ({ name, value })),
    ports: Object.keys(config.ExposedPorts ?? {}),
    volumes: Object.keys(config.Volumes ?? {}),
    ...(config.Healthcheck?.Test && { health: readTexts(config.Healthcheck.Test) }),
    labels: Object.fromEntries(labels),
  };
}

function readTexts(value: unknown): string[] {
  return Array.isArray(value) ? value.map(String) : [];
}
