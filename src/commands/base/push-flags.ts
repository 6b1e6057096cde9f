import { Flags } from '@oclif/core';

export const registryFlag = Flags.string({
  helpValue: 'HOST[:PORT]',
  description: 'registry to push to; by default GBUILD_REGISTRY, or registry in gbuild.yml',
});

export const signKeyFlag = Flags.string({
  helpValue: 'FILE',
  description: 'private key to sign with; by default GBUILD_SIGNING_KEY, or signing.key in config.yml',
});

export const attestFlag = Flags.boolean({
  default: true,
  allowNo: true,
  description: 'attach SBOM, provenance and, with a key, signatures',
});
