import { GbuildError } from '../../../src/errors.ts';

/** Returns the GbuildError of a call as plain data for a snapshot. */
export async function errorOf(call: () => unknown) {
  try {
    await call();
  } catch (thrown) {
    if (!(thrown instanceof GbuildError)) throw thrown;
    const { code, message, suggestions } = thrown;
    return { code, message, suggestions };
  }
  throw new Error('nothing was thrown');
}
