import { homedir } from 'node:os';
import { join } from 'node:path';

/** Where the tests keep what is dear to make: an engine's data, Debian roots, fetched programs, the times of runs. */
export const testCacheDir = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'gbuild-test');
