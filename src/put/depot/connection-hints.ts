import { messageOf } from '../../errors.ts';
import { escapeLine, quoteWord } from '../../escape.ts';
import { Stalled } from '../../oci/stream/pace.ts';
import { isBrokenConnection } from '../../registry/http/failures.ts';

/** Says why a connection did not come about, or ended. */
export function describeConnection(thrown: unknown): string {
  const { code = '' } = thrown as NodeJS.ErrnoException;
  if (thrown instanceof Stalled) return messageOf(thrown);
  if (code === 'ECONNREFUSED') return 'nothing listens there (connection refused)';
  if (code === 'ENOTFOUND') return 'its name is not known (DNS)';
  if (isUntrusted(code)) return `its certificate is signed by nobody this machine trusts (${code})`;
  return isBrokenConnection(thrown) ? 'the connection broke' : escapeLine(messageOf(thrown));
}

/** Returns what to type where a connection failed with a code of Node's; nothing for most. */
export function hintsFor(code: string, hostname: string | undefined): string[] {
  if (code === 'ENOTFOUND' && hostname !== undefined) return [`getent hosts ${quoteWord(hostname)}`];
  return isUntrusted(code) ? ['export NODE_EXTRA_CA_CERTS=FILE   # the root that signed its certificate'] : [];
}

function isUntrusted(code: string): boolean {
  return /^(SELF_SIGNED_CERT|DEPTH_ZERO_SELF_SIGNED_CERT|UNABLE_TO_(GET_ISSUER|VERIFY_LEAF))/.test(code);
}
