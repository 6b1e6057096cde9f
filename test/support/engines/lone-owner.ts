import { randomBytes } from 'node:crypto';
import { type Owner, readOwner } from '../../../src/fs/process-owner.ts';

/**
 * This process as the owner on a machine of its own. The engine is shared with other test files, whose runs sweep as well:
 * what the dead of this machine left is judged by nobody else.
 */
export function loneOwner(): { living: Owner; dead: Owner } {
  const living = { ...readOwner(), host: `lone-${randomBytes(6).toString('hex')}` };
  return { living, dead: { ...living, boot: '0' } };
}
