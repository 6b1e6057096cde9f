import { randomBytes } from 'node:crypto';
import { type Owner, readOwner } from '../../../src/fs/process-owner.ts';

/**
 * Returns this process as the owner on a machine without others. Other test files sweep the shared engine too, but
 * never judge this machine's dead owners.
 */
export function loneOwner(): { living: Owner; dead: Owner } {
  const living = { ...readOwner(), host: `lone-${randomBytes(6).toString('hex')}` };
  return { living, dead: { ...living, boot: '0' } };
}
