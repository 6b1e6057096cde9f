import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { replaceFile } from './replace-file.ts';

/**
 * Reads a file of the cache. Undefined unless it is exactly what writeCached wrote under this name and kind: the caller
 * then makes it again. `kind` names the format with its version: content of another version is a miss.
 */
export function readCached(file: string, kind: string): string | undefined {
  const text = readText(file);
  const end = text.indexOf('\n') + 1;
  const content = text.slice(end);
  return text.slice(0, end) === headerOf(file, kind, content) ? content : undefined;
}

/**
 * Writes a file of the cache, readable by its owner only; false on failure: a missing cache only costs time. Nothing is
 * flushed, because a file that a power loss emptied does not match its digest.
 */
export function writeCached(file: string, kind: string, content: string): boolean {
  try {
    replaceFile(file, [headerOf(file, kind, content), content], 0o600);
    return true;
  } catch {
    return false;
  }
}

/**
 * Returns the first line: the kind, and a digest over kind, name and content. A file under another name does not match
 * either.
 */
function headerOf(file: string, kind: string, content: string): string {
  const digest = createHash('sha256')
    .update(`${kind}\n${basename(file)}\n`)
    .update(content)
    .digest('hex');
  return `gbuild-cache ${kind} ${digest}\n`;
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
