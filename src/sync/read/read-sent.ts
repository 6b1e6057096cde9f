import { hash } from 'node:crypto';
import { largestSettings, readWhole } from '../../fs/read-bounded.ts';
import { makeSafeConfig } from '../../workspace/git/git-config.ts';
import { judgeGitPath } from '../../workspace/git/git-folder.ts';
import { isGits, type Tree } from '../tree/tree.ts';
import { type HashedContent, readContent } from './hash-file.ts';

/**
 * Reads a file's content as the engine gets it: a git config without credentials. Undefined where it is no file now.
 */
export function readSent(rootDir: string, path: string, local: Tree): HashedContent | undefined {
  const hostFile = `${rootDir}/${path}`;
  const content = readContent(hostFile);
  const isConfig = isGits(path) && judgeGitPath(path, (other) => local.has(other)) === 'goes without credentials';
  if (content === undefined || !isConfig) return content;
  const text = (content.bytes ?? readWhole(hostFile, largestSettings)).toString('latin1');
  const bytes = Buffer.from(makeSafeConfig(text).text, 'latin1');
  return { size: bytes.length, digest: hash('sha256', bytes, 'base64url'), bytes };
}
