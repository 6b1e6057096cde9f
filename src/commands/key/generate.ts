import { Args } from '@oclif/core';
import { generateKey } from '../../actions/release/attest/generate-key.ts';
import { BaseCommand } from '../base/base-command.ts';

export default class KeyGenerateCommand extends BaseCommand {
  static override summary = 'Make a key pair to sign releases with, as cosign makes them';
  static override description =
    'Writes NAME.key, encrypted with the password in COSIGN_PASSWORD, and NAME.pub, for those who verify. Nothing is overwritten.';
  static override args = {
    name: Args.string({ default: 'cosign', description: 'path of the files, without .key and .pub' }),
  };
  static override examples = ['<%= config.bin %> key generate', '<%= config.bin %> key generate ~/keys/acme'];

  async run() {
    const { flags, args } = await this.parse(KeyGenerateCommand);
    const files = await generateKey(this.readHost(flags), args.name);
    this.log(`${files.privateFile}: keep it, and its password, to yourself`);
    this.log(`${files.publicFile}: give it to whoever verifies`);
    return files;
  }
}
