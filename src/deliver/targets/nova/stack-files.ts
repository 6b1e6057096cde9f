import { isDeepStrictEqual } from 'node:util';
import type { DeliveredImage } from '../../delivered-image.ts';
import { scriptFile, type TextFile } from '../../files.ts';
import { refuseDelivery } from '../../refuse.ts';
import { type HookName, type HookScript, hookNames } from '../../revision/appspec.ts';
import { formatArray } from '../../revision/bash.ts';
import { listRunWords } from '../../revision/scripts.ts';
import type { Service } from '../../service.ts';
import type { Template } from '../../template.ts';
import type { NovaFile, NovaStack, StackSettings } from './nova-file.ts';

/** Folder of the machine that has the variables of each type of stack. */
export const environmentsDir = '/opt/nova/environments';

/** Returns the path of a stack's variables in the bundle. */
export function variablesPath(type: string): string {
  return `env-vars/${type}/set-env-vars.sh`;
}

/**
 * Chooses the stacks of the bundle: those of one environment, or of all. A machine finds its stack by its type alone, so
 * no type may mean two things. @throws MistakesError `template-invalid`
 */
export function chooseStacks({ parsed, stacks }: NovaFile, environment: string | undefined): NovaStack[] {
  const wanted = stacks.filter((stack) => environment === undefined || stack.environment === environment);
  if (wanted.length === 0)
    parsed.refuseAny([
      parsed.mistake(['environments'], {
        expected: `an environment ${JSON.stringify(environment)}`,
        found: [...new Set(stacks.map((stack) => stack.environment))].join(', '),
        hint: 'options.environment of the target names it',
      }),
    ]);
  const byType = new Map<string, NovaStack>();
  for (const stack of wanted) {
    const before = byType.get(stack.type);
    byType.set(stack.type, before ?? stack);
    if (before === undefined) continue;
    const isSame = before.environment !== stack.environment && isDeepStrictEqual(before.settings, stack.settings);
    if (isSame) continue;
    const isOther = before.environment !== stack.environment;
    parsed.refuseAny([
      parsed.mistake([...stack.at, 'stack_type'], {
        expected: isOther ? `the settings that ${before.environment} has for it` : 'a type that no other stack has',
        found: JSON.stringify(stack.type),
        ...(isOther && { hint: `name one environment: options: { environment: ${before.environment} }` }),
      }),
    ]);
  }
  return [...byType.values()];
}

/**
 * Formats the variables of a stack as arrays of bash, which keep each word whole. What gbuild.yml says of the service
 * comes first: of two options or variables, Docker takes the last.
 */
export function variablesFile({ type, settings }: NovaStack, service: Service): TextFile {
  const words = listRunWords(service);
  const args = listOf(settings, 'deployment_arguments', (key, value) => [`${key}=${value}`]);
  const options = listOf(settings, 'deployment_options', (key, value) => [`${key}=${value}`]);
  const volumes = listOf(settings, 'deployment_volumes', (key, value) => ['--volume', `${key}:${value}`]);
  const variables = listOf(settings, 'deployment_variables', (key, value) => ['--env', `${key}=${value}`]);
  return scriptFile(
    variablesPath(type),
    [
      '#!/usr/bin/env bash',
      `# Variables of the stack ${type}, read by start_docker_container.sh.`,
      '# shellcheck disable=SC2034',
      '',
      formatArray('DOCKER_OPTS', [...words.options, ...options]),
      formatArray('DOCKER_VOLS', [...words.volumes, ...volumes]),
      formatArray('DOCKER_VARS', [...words.variables, ...variables]),
      formatArray('DOCKER_ARGS', args.length > 0 ? args : (service.args ?? [])),
    ].join('\n'),
  );
}

function listOf(
  settings: StackSettings,
  list: keyof StackSettings,
  format: (key: string, value: string) => string[],
): string[] {
  return settings[list].flatMap(([key, value]) => format(key, value));
}

/** Folder next to nova.yml with the repository's own scripts, a folder for each hook. */
export const ownScriptsDir = 'nova-scripts';

export interface OwnScripts {
  files: TextFile[];
  hooks: Partial<Record<HookName, HookScript[]>>;
}

/**
 * Collects the scripts of `nova-scripts/HOOK/`: Nova copies them to the root of the bundle and runs them after its own.
 * @throws GbuildError `delivery-refused` where two files would have one path
 */
export function collectOwnScripts(
  { files }: Template,
  taken: readonly string[],
  image: DeliveredImage,
  target: string,
): OwnScripts {
  const sources = new Map(taken.map((path) => [path, "gbuild's own"]));
  const own: OwnScripts = { files: [], hooks: {} };
  for (const [source, text] of files) {
    const [folder, hook, ...below] = source.split('/');
    if (folder !== ownScriptsDir || !isHook(hook) || below.length === 0) continue;
    const path = below.join('/');
    const before = sources.get(path);
    if (before !== undefined)
      throw refuseDelivery(image, target, `${source} and ${before} would both be ${path} in the bundle`, [
        `give ${source} another name`,
      ]);
    sources.set(path, source);
    own.files.push({ kind: 'text', path, text, isExecutable: true });
    if (below.length === 1) own.hooks[hook] = [...(own.hooks[hook] ?? []), { location: path }];
  }
  return own;
}

function isHook(name: string | undefined): name is HookName {
  return hookNames.some((hook) => hook === name);
}
