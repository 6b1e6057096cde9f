import { Flags } from '@oclif/core';
import type { RunRequest } from '../../actions/run/run.ts';
import type { ShardsReport } from '../../actions/shards/report.ts';
import { GbuildError } from '../../errors.ts';
import { formatSeconds } from '../../reporter/format.ts';

/** Flags of the commands whose tasks can be divided. */
export const shardFlags = {
  shards: Flags.integer({
    helpGroup: 'SHARDS',
    helpValue: 'N',
    min: 1,
    description: 'divide the work into N parts that run at the same time; by default one for each engine of --on',
  }),
  on: Flags.string({
    helpGroup: 'SHARDS',
    helpValue: 'NAME,...',
    description:
      'engines that the parts run on: docker contexts, machines or addresses; "swarm" is the swarm that the engine manages',
  }),
  registry: Flags.string({
    helpGroup: 'SHARDS',
    helpValue: 'HOST[:PORT]',
    dependsOn: ['on'],
    description:
      'registry that the nodes of a swarm get the workspace from; by default GBUILD_REGISTRY, or registry in gbuild.yml',
  }),
  shard: Flags.string({
    helpGroup: 'SHARDS',
    helpValue: 'K/N',
    exclusive: ['shards', 'on'],
    description: 'run only part K of N, here; for CI agents that divide the work among them',
  }),
};

/** Number of the part, and the number of parts. */
type Part = NonNullable<RunRequest['part']>;

export function parsePart(text: string): Part {
  const [, number, of] = (/^([1-9]\d{0,5})\/([1-9]\d{0,5})$/.exec(text) ?? []).map(Number);
  if (number !== undefined && of !== undefined && number <= of) return { number, of };
  throw new GbuildError('usage', `--shard ${text}: not one of several parts, such as 2/5`, {
    suggestions: ['gbuild test --shard 1/2'],
  });
}

export interface ShardFlags {
  shards?: number | undefined;
  on?: string | undefined;
  registry?: string | undefined;
  shard?: string | undefined;
}

export function isSharded({ shards, on }: ShardFlags): boolean {
  return shards !== undefined || on !== undefined;
}

/** Returns the last line of a run in shards. */
export function summariseShards({ shards, toolchain, seconds }: ShardsReport): string {
  const names = [...new Set(shards.flatMap(({ tasks }) => tasks.map((task) => task.name)))].join(', ');
  const count = shards.length === 1 ? '1 shard' : `${shards.length} shards`;
  return `${names} passed in ${count} with ${toolchain.name} ${toolchain.version} in ${formatSeconds(seconds)}`;
}
