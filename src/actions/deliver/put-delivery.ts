import { join } from 'node:path';
import { formatDestination, parseDestination } from '../../put/depot/destination.ts';
import type { FilePut } from '../../put/put-files.ts';
import { readHostTrust } from '../../toolchain/host/trust.ts';
import { readRequestTimeout } from '../session/read-duration.ts';
import type { DeliverRequest } from './request.ts';
import type { WrittenFile } from './write-delivery.ts';

/** Puts the files at the requested URL; undefined where none is. Nothing of other bytes is replaced there. */
export async function putDelivery(
  { host, progress, stop, put }: DeliverRequest,
  written: readonly WrittenFile[],
  dir: string,
): Promise<FilePut[] | undefined> {
  if (put === undefined) return undefined;
  const destination = parseDestination(put);
  const { putFilesAt } = await import('../../put/put-files.ts');
  const stallSeconds = readRequestTimeout(host);
  const isTraced = /(^|,)gbuild:(\*|put)/.test(host.env.DEBUG ?? '');
  const files = written.map((file) => ({ ...file, hostFile: join(dir, file.path) }));
  return progress.step(
    `putting ${files.length === 1 ? files[0]!.path : `${files.length} files`} at ${formatDestination(destination)}`,
    () =>
      putFilesAt(destination, files, {
        host,
        signal: stop.ask,
        trace: (line) => isTraced && progress.note(`gbuild:put ${line}`),
        readExtraRoots: () => readHostTrust(host).extraRoots,
        ...(stallSeconds && { settings: { stallSeconds } }),
      }),
  );
}
