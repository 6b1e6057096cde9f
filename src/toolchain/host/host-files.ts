import { join } from 'node:path';
import { GbuildError, messageOf } from '../../errors.ts';
import { largestSettings, readWhole } from '../../fs/read-bounded.ts';
import type { Host } from '../../host.ts';
import type { HostFileRule } from './npm-variables.ts';
import { fillVariables } from './npm-variables.ts';

/** Reads the existing ones of these files. They may hold credentials: only the tool's own path receives them. */
export function readHostFiles(
  host: Pick<Host, 'homeDir' | 'env'>,
  rules: readonly HostFileRule[],
): (HostFileRule & { bytes: Buffer })[] {
  return rules.flatMap((rule) => {
    const read = readIfAny(join(host.homeDir, rule.from));
    const kept = read === undefined ? undefined : keepLines(read, rule.keep);
    if (kept === undefined) return [];
    const bytes = rule.variables === 'npm' ? Buffer.from(fillVariables(kept.toString(), host.env)) : kept;
    return bytes.length === 0 ? [] : [{ ...rule, bytes }];
  });
}

/**
 * Reads a file; undefined where it is missing. An unreadable file is an error here, because a tool without it would
 * fail later, far from the reason.
 */
function readIfAny(file: string): Buffer | undefined {
  try {
    return readWhole(file, largestSettings);
  } catch (cause) {
    if (['ENOENT', 'ENOTDIR'].includes((cause as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw new GbuildError(
      'config-invalid',
      `${file}, which tools in the container read, cannot be read: ${messageOf(cause)}`,
      {
        cause,
        suggestions: [`ls -l ${file}`],
        facts: { file },
      },
    );
  }
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
