import { Args, Flags } from '@oclif/core';
import { parseRelease, type RebaseRecord, rebaseRelease } from '../actions/release/rebase/rebase.ts';
import { formatDigest } from '../reporter/format.ts';
import { engineFlags } from './base/base-command.ts';
import { EngineCommand } from './base/engine-command.ts';
import { attestFlag, signKeyFlag } from './base/push-flags.ts';
import { summarisePush } from './push.ts';

export default class RebaseCommand extends EngineCommand {
  static override summary = 'Release the same application on another base image, without building it again';
  static override description =
    "The release comes from this machine's store, or from the registry if the store does not have it. Its base is replaced by the runtime image that gbuild.lock names; outside of its repository, by the image that the engine has under the old base's name. The same release and base give the same image id. If the version exists already, the same image is accepted and another one is refused.";
  static override args = {
    release: Args.string({ required: true, description: 'NAME:VERSION, or VERSION of the repository here' }),
  };
  static override flags = {
    ...engineFlags,
    release: Flags.string({ required: true, helpValue: 'VERSION', description: 'the new version, e.g. 1.0.2' }),
    base: Flags.string({ helpValue: 'REFERENCE', description: 'image on the engine to use as the base' }),
    force: Flags.boolean({ description: "also if the platform or the toolchain's major version differs" }),
    tag: Flags.string({ multiple: true, helpValue: 'TAG', description: 'also tag the image with this, e.g. latest' }),
    push: Flags.boolean({ description: 'push the new release to the registry' }),
    'sign-key': signKeyFlag,
    attest: attestFlag,
    registry: Flags.string({
      helpValue: 'HOST[:PORT]',
      description: 'registry to take from and push to; by default GBUILD_REGISTRY, or registry in gbuild.yml',
    }),
  };
  static override examples = [
    '<%= config.bin %> rebase 1.0.1 --release 1.0.2',
    '<%= config.bin %> rebase hello:1.0.1 --release 1.0.2 --registry registry.example.com --push --tag latest',
    '<%= config.bin %> rebase hello:1.0.1 --release 1.0.2 --base debian:bookworm-slim',
  ];

  async run() {
    const { flags, args } = await this.parse(RebaseCommand);
    const { release, base, force = false, tag: tags = [], push = false, registry } = flags;
    const record = await this.withEngine(flags, async (open) => {
      const old = await parseRelease(open, args.release);
      return rebaseRelease({
        ...open,
        ...old,
        release,
        base,
        force,
        tags,
        push,
        registry,
        keyFile: flags['sign-key'],
        attest: flags.attest,
      });
    });
    this.log(summarise(record));
    if (record.pushed !== undefined) this.log(summarisePush(record.pushed));
    return record;
  }
}

function summarise({ reference, imageId, alreadyReleased, rebasedFrom, base, changes }: RebaseRecord): string[] {
  const old = rebasedFrom.split('@')[0];
  const done = alreadyReleased ? 'already released' : 'released';
  const line = `${reference} ${done}: ${old} on ${base.reference} (${formatDigest(imageId)})`;
  if (changes === undefined) return [line, '  the old base is not here any more: what changed in it cannot be told'];
  const none = changes.length === 0 ? ['no Debian package differs'] : changes;
  return [line, ...none.map((change) => `  ${change}`)];
}
