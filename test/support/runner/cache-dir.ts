import { homedir } from 'node:os';
import { join } from 'node:path';

const cacheHome = process.env.XDG_CACHE_HOME || join(homedir(), '.cache');

/** Where the tests keep what is dear to make: an engine's data, Debian roots, fetched programs, the times of runs. */
export const testCacheDir = join(cacheHome, 'gbuild-test');

/** gbuild's own, which tests share with this machine's user: downloads, and the locks of those who make toolchains. */
export const gbuildCacheDir = join(cacheHome, 'gbuild');
