import { Args, Flags } from '@oclif/core';
import { verifyRelease } from '../actions/release/verify/verify.ts';
import { formatDigest } from '../reporter/format.ts';
import { engineFlags } from './base/base-command.ts';
import { EngineCommand } from './base/engine-command.ts';
import { newRunId } from './base/task-command.ts';

export default class VerifyCommand extends EngineCommand {
  static override summary =
    'Check who signed a release in a registry and what it was made of, and build it again to the very same image';
  static override description =
    'Run it in a clone of the repository: the recorded commit is built in a separate folder, with its own spec and lock. No image gets a name, and nothing is pushed. If it gives another image, the first file and byte that differ are named. A release of this machine (VERSION, NAME:VERSION) is not signed: it is only built again and compared.';
  static override args = {
    reference: Args.string({
      required: true,
      description:
        'HOST/NAME:VERSION or HOST/NAME@sha256:DIGEST in a registry; VERSION or NAME:VERSION on this machine',
    }),
  };
  static override flags = {
    ...engineFlags,
    key: Flags.string({ helpValue: 'FILE', description: 'public key that must have signed it, e.g. cosign.pub' }),
    rebuild: Flags.boolean({ default: true, allowNo: true, description: 'build it again and compare' }),
  };
  static override examples = [
    '<%= config.bin %> verify registry.example.com/hello:1.0.1 --key cosign.pub',
    '<%= config.bin %> verify registry.example.com/hello:1.0.1 --key cosign.pub --no-rebuild',
    '<%= config.bin %> verify 1.0.1',
  ];

  async run() {
    const { flags, args } = await this.parse(VerifyCommand);
    const streams = { stdout: process.stderr, stderr: process.stderr, prefixed: false };
    const { key: keyFile, rebuild } = flags;
    const record = await this.withEngine(flags, (open) =>
      verifyRelease({ ...open, streams, runId: newRunId(), reference: args.reference, keyFile, rebuild }),
    );
    const { reference, imageId, commit, signedWith } = record;
    const isChecked = rebuild || signedWith !== undefined;
    const signed = signedWith === undefined ? 'signature not checked' : `signed with ${signedWith}`;
    const built = `${rebuild ? 'built again from' : 'not built again from'} commit ${commit.slice(0, 12)}`;
    this.log(`${reference} ${isChecked ? 'verified' : 'found'} (${formatDigest(imageId)}, ${signed}, ${built})`);
    return record;
  }
}
