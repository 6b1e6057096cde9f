import type { Mistake } from '../../../spec/yaml/mistakes.ts';
import { absent, quote } from '../../../spec/yaml/mistakes.ts';
import { referByDigest } from '../../refuse.ts';
import type { ParsedTemplate } from '../../template.ts';
import { nearestFargateSize, parseTaskCpu, parseTaskMemory } from './fargate.ts';
import type { EcsInput } from './options.ts';
import { cpuArchitectures, isInEcr } from './task-definition.ts';
import type { TaskDefinition } from './task-schema.ts';

/** Checks a definition that runs on Fargate, as it says itself or the options do. Empty for any other. */
export function checkFargate(
  parsed: ParsedTemplate,
  path: readonly string[],
  definition: TaskDefinition,
  { image, options }: EcsInput,
): Mistake[] {
  if (definition.requiresCompatibilities?.includes('FARGATE') !== true && options.launch !== 'FARGATE') return [];
  const at = (key: string, expected: string, found: string | undefined) =>
    parsed.mistake([...path, key], { expected, found: found === undefined ? absent : quote(found) });
  const { networkMode, executionRoleArn, runtimePlatform } = definition;
  const architecture = runtimePlatform?.cpuArchitecture ?? 'X86_64';
  const needed = image.platform === undefined ? architecture : cpuArchitectures.get(image.platform);
  return [
    ...checkSize(definition, at),
    ...(networkMode === 'awsvpc' ? [] : [at('networkMode', 'awsvpc, which Fargate needs', networkMode)]),
    ...(isInEcr(referByDigest(image)) && executionRoleArn === undefined
      ? [at('executionRoleArn', 'a role that may pull from Amazon ECR', undefined)]
      : []),
    ...(architecture === needed
      ? []
      : [
          parsed.mistake([...path, 'runtimePlatform', 'cpuArchitecture'], {
            expected: `${needed ?? 'an image for linux/amd64 or linux/arm64'}: the image is for ${image.platform}`,
            found: architecture,
          }),
        ]),
  ];
}

function checkSize(
  { cpu, memory }: TaskDefinition,
  at: (key: string, expected: string, found: string | undefined) => Mistake,
): Mistake[] {
  const units = cpu === undefined ? 0 : parseTaskCpu(cpu);
  const size = memory === undefined ? 0 : parseTaskMemory(memory);
  const unreadable = [
    ...(units === undefined ? [at('cpu', 'units such as 256, or .25 vCPU', cpu)] : []),
    ...(size === undefined ? [at('memory', 'MiB such as 512, or 0.5 GB', memory)] : []),
  ];
  if (units === undefined || size === undefined) return unreadable;
  const nearest = nearestFargateSize({ cpu: units, memory: size });
  if (nearest.cpu === units && nearest.memory === size) return [];
  const expected = `a size of Fargate, of which cpu "${nearest.cpu}" with memory "${nearest.memory}" is the nearest`;
  return [nearest.cpu === units ? at('memory', expected, memory) : at('cpu', expected, cpu)];
}
