import { createHash } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import { GbuildError } from '../../../errors.ts';
import { readTar } from '../../../oci/tar/untar.ts';
import { matchGlobs } from '../../../plan/match-globs.ts';
import type { Progress } from '../../../reporter/progress.ts';
import { ChangeApplier } from '../../../sync/pull/apply-changes.ts';
import { isInside } from '../../../sync/tree/safe-path.ts';
import type { Tree } from '../../../sync/tree/tree.ts';
import { warnOfRefused } from '../../run/workspace/sync-messages.ts';
import type { SentReports } from './shard-output.ts';

/** Limit in bytes for all reports of a shard, unpacked: they come through the cluster's logs and lie in memory. */
const most = 512 << 20;

/**
 * Writes the reports that a shard sent into a folder. Only files that match its globs are written, whatever was sent.
 */
export async function landSent(
  { sha256, files, text }: SentReports,
  { reportsDir, globs, progress }: { reportsDir: string; globs: string[]; progress: Progress },
): Promise<void> {
  const tar = unpack(text);
  const found = tar && createHash('sha256').update(tar).digest('hex');
  if (tar === undefined || found !== sha256) throw notWhole();
  const remote: Tree = new Map();
  const isReport = matchGlobs(globs);
  using applier = new ChangeApplier({ rootDir: reportsDir, remote, base: new Map(), isGuarded: () => false });
  const { refused } = applier.report;
  let count = 0;
  for await (const entry of readTar(bytesOf(tar), 'what the shard sent')) {
    count += 1;
    const path = entry.header.path.replace(/^\.\//, '');
    // The script sends more files than the globs mean: see formatShardScript.
    if (!isReport(path)) continue;
    const { type, mode, size } = entry.header;
    if (!isInside(path)) refused.push(`${path}: the name leads out of the workspace`);
    else if (type === 'file' && !remote.has(path)) {
      remote.set(path, { kind: 'file', mode: mode & 0o777, size, fingerprint: '' });
      await applier.receive(path, entry);
    } else refused.push(`${path}: it is no file`);
  }
  applier.finish();
  if (count !== files) throw notWhole();
  warnOfRefused(progress, refused);
}

function unpack(text: string): Buffer | undefined {
  try {
    return gunzipSync(Buffer.from(text, 'base64'), { maxOutputLength: most });
  } catch {
    return undefined;
  }
}

async function* bytesOf(tar: Buffer): AsyncGenerator<Uint8Array> {
  yield tar;
}

function notWhole(): GbuildError {
  return new GbuildError('engine-failed', 'the reports of the shard did not come whole through the logs of the swarm', {
    suggestions: [
      'see that the image to build in has find, tar, gzip, base64 and sha256sum',
      `keep the reports below ${most >> 20} MB`,
    ],
  });
}
