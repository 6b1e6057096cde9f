import { Args } from '@oclif/core';
import { inspectToolchain, type ToolchainDetails } from '../../actions/toolchain/images.ts';
import { formatBytes, formatDigest } from '../../reporter/format.ts';
import { engineFlags } from '../base/base-command.ts';
import { EngineCommand } from '../base/engine-command.ts';
import { parseIfAny } from './build.ts';

export default class ToolchainInspectCommand extends EngineCommand {
  static override summary = 'Show what a toolchain is: version, recipe, images, and the tools and packages inside';
  static override description =
    'Makes nothing: contents are shown of images that the engine has. --json lists every package.';
  static override args = {
    toolchain: Args.string({ description: 'toolchain such as jvm@21; by default that of the repository' }),
  };
  static override flags = { ...engineFlags };
  static override examples = [
    '<%= config.bin %> toolchain inspect',
    '<%= config.bin %> toolchain inspect node@22 --json',
  ];

  async run() {
    const { flags, args } = await this.parse(ToolchainInspectCommand);
    const request = await parseIfAny(args.toolchain);
    const details = await this.withEngine(flags, (open) => inspectToolchain({ ...open, request }));
    this.log(format(details));
    return details;
  }
}

function format({ name, version, request, recipe, options, images, caches, ...inside }: ToolchainDetails): string[] {
  const count = (packages: object | undefined) => (packages === undefined ? 0 : Object.keys(packages).length);
  const { tools = {}, packages, runtimePackages } = inside;
  const lines = [
    ['toolchain', `${name} ${version} (asked for: ${request})`],
    ...Object.entries(options).map(([option, value]) => ['option', `${option}: ${String(value)}`]),
    ['recipe', formatDigest(recipe)],
    ...images.map(({ role, reference, id, size }) => [
      role,
      `${reference} ${id === undefined ? '(not on this engine)' : `(${formatDigest(id)}, ${formatBytes(size ?? 0)})`}`,
    ]),
    ...caches.map((cache) => ['cache', `${cache.name} at ${cache.path}`]),
    ...Object.entries(tools).map(([tool, found]) => ['tool', `${tool} ${found}`]),
    ...(packages === undefined
      ? []
      : [['packages', `${count(packages)} to build in, ${count(runtimePackages)} to ship on`]]),
  ];
  return lines.map(([title = '', text]) => `${title.padEnd(11)} ${text}`);
}
