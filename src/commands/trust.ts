import { Flags } from '@oclif/core';
import { listTrusted, revokeTrust, type TrustReport, trustRepository } from '../actions/trust/trust-repository.ts';
import { BaseCommand } from './base/base-command.ts';
import { formatTable } from './base/engine-command.ts';

export default class TrustCommand extends BaseCommand {
  static override summary = 'Let this repository run the commands and read the files that its secrets name';
  static override description =
    'Shows what the secrets of gbuild.yml run and read on this machine, outside of any container, and asks. The answer is kept in your config.yml, for this folder and for exactly what was shown: when that changes, gbuild asks again. Without a terminal it needs --force; a CI sets GBUILD_TRUST to the digest instead.';
  static override flags = {
    force: Flags.boolean({ char: 'f', description: 'do not ask for confirmation' }),
    list: Flags.boolean({ description: 'list the repositories that are trusted', exclusive: ['force', 'revoke'] }),
    revoke: Flags.boolean({ description: 'stop trusting this repository', exclusive: ['force', 'list'] }),
  };
  static override examples = [
    '<%= config.bin %> trust',
    '<%= config.bin %> trust --list',
    '<%= config.bin %> trust --revoke --directory ~/src/app',
  ];

  async run() {
    const { flags } = await this.parse(TrustCommand);
    const host = this.readHost(flags);
    if (flags.list) {
      const trusted = await listTrusted(host);
      const rows = trusted.map(({ rootDir, digest, isThere }) => [rootDir, digest, isThere ? '' : 'no such folder']);
      this.logText(rows.length === 0 ? 'no repository is trusted' : formatTable(rows));
      return { trusted };
    }
    if (flags.revoke) {
      const revoked = await revokeTrust(host);
      this.log(revoked === undefined ? 'this repository is not trusted' : `${revoked} is not trusted any more`);
      return { revoked: revoked ?? null };
    }
    const context = { host, installDir: this.config.root, progress: this.openProgress(flags, host) };
    const report = await trustRepository(context, flags.force === true);
    this.log(summarise(report));
    return report;
  }
}

function summarise({ rootDir, digest, secrets, isTrusted }: TrustReport): string {
  if (secrets.length === 0) return 'no secret of gbuild.yml runs or reads anything on this machine';
  return isTrusted ? `${rootDir} is trusted (${digest})` : `${rootDir} is not trusted`;
}
