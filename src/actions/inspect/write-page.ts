import { mkdir, open, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { diskError, GbuildError, messageOf } from '../../errors.ts';
import { formatPage, pageStart } from '../../inspect/page.ts';
import type { ImageReport } from '../../inspect/report.ts';
import { writeAtomic } from '../../oci/layout/atomic-write.ts';

/** Throws `output-refused` where the path holds anything except an older page. Called before any work is done. */
export async function assertPageFree(hostFile: string): Promise<void> {
  const found = await stat(hostFile).catch(() => undefined);
  if (found === undefined) return;
  if (found.isFile() && (await startsLikePage(hostFile))) return;
  throw new GbuildError(
    'output-refused',
    `${JSON.stringify(hostFile)} is not a page of gbuild inspect; nothing was written`,
    {
      suggestions: ['name a file that does not exist yet'],
      facts: { hostFile },
    },
  );
}

/** Replaces the page atomically; equal reports give equal bytes. */
export async function writePage(hostFile: string, report: ImageReport): Promise<void> {
  try {
    await mkdir(dirname(hostFile), { recursive: true });
    await writeAtomic(hostFile, [Buffer.from(formatPage(report))]);
  } catch (cause) {
    throw (
      diskError(cause, dirname(hostFile)) ??
      new GbuildError('output-refused', `${hostFile} cannot be written: ${messageOf(cause)}`, {
        cause,
        suggestions: ['name a place that you may write to, with enough room'],
        facts: { hostFile },
      })
    );
  }
}

async function startsLikePage(hostFile: string): Promise<boolean> {
  await using file = await open(hostFile, 'r');
  const { buffer, bytesRead } = await file.read(Buffer.alloc(pageStart.length), 0, pageStart.length, 0);
  return bytesRead === 0 || buffer.toString() === pageStart;
}
