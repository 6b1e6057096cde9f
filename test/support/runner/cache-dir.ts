import { homedir } from 'node:os';
import { join } from 'node:path';

const cacheHome = process.env.XDG_CACHE_HOME || join(homedir(), '.cache');

/**
 * Folder for results of the tests that are expensive to make: an engine's data, Debian roots, fetched programs, the
 * times of runs.
 */
export const testCacheDir = join(cacheHome, 'gbuild-test');

/**
 * Folder of gbuild itself, which tests share with this machine's user: downloads, and the locks of toolchain builds.
 */
export const gbuildCacheDir = join(cacheHome, 'gbuild');
