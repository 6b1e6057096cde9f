import { Args } from '@oclif/core';
import { type PushedToolchainImage, pushToolchain } from '../../actions/toolchain/push/push.ts';
import { formatBytes, formatDigest } from '../../reporter/format.ts';
import { engineFlags } from '../base/base-command.ts';
import { EngineCommand } from '../base/engine-command.ts';
import { registryFlag } from '../base/push-flags.ts';
import { parseIfAny } from './build.ts';

export default class ToolchainPushCommand extends EngineCommand {
  static override summary = 'Push the images of a toolchain to a registry, so that colleagues get the locked ones';
  static override description =
    'Makes them first if the engine lacks them. Each is pushed under a tag made of its id, which never changes, and under its own tag. gbuild.lock then names the registry: commit it.';
  static override args = {
    toolchain: Args.string({ description: 'toolchain such as jvm@21; by default that of the repository' }),
  };
  static override flags = { ...engineFlags, registry: registryFlag };
  static override examples = [
    '<%= config.bin %> toolchain push --registry registry.example.com',
    '<%= config.bin %> toolchain push jvm@21',
  ];

  async run() {
    const { flags, args } = await this.parse(ToolchainPushCommand);
    const { registry } = flags;
    const request = await parseIfAny(args.toolchain);
    const pushed = await this.withEngine(flags, (open) => pushToolchain({ ...open, request, registry }));
    this.log(pushed.images.map(summarise));
    return pushed;
  }
}

function summarise({ reference, digest, alreadyThere, layersSent, bytesSent }: PushedToolchainImage): string {
  const what = alreadyThere ? 'already there' : 'pushed';
  const sent = alreadyThere ? '' : `, ${formatBytes(bytesSent)} in ${layersSent} layers sent`;
  return `${reference} ${what} (${formatDigest(digest)}${sent})`;
}
