import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Host } from '../host.ts';

/** A file of the caller's home that tools in a container read too, `to` being where. */
export interface HostFileRule {
  /** Below the home. */
  from: string;
  /** Absolute, in the container. */
  to: string;
  /** Only lines that match are taken: the others speak of the host's own folders. */
  keep?: string | undefined;
}

/** What is there of those files, with its bytes. Credentials may be among them: they go where the tool looks, nowhere else. */
export function readHostFiles(
  host: Pick<Host, 'homeDir'>,
  rules: readonly HostFileRule[],
): (HostFileRule & { bytes: Buffer })[] {
  return rules.flatMap((rule) => {
    try {
      const bytes = keepLines(readFileSync(join(host.homeDir, rule.from)), rule.keep);
      return bytes.length === 0 ? [] : [{ ...rule, bytes }];
    } catch {
      return [];
    }
  });
}

function keepLines(bytes: Buffer, pattern: string | undefined): Buffer {
  if (pattern === undefined) return bytes;
  const kept = new RegExp(pattern);
  const lines = bytes
    .toString()
    .split(/\r?\n/)
    .filter((line) => kept.test(line));
  return Buffer.from(lines.map((line) => `${line}\n`).join(''));
}
