import type { TarItem } from '../../oci/tar/tar.ts';
import { bareContainer, type ContainerSpec } from '../container/spec.ts';
import { listingFormat } from './listing.ts';

export interface LeaseSpec {
  /** Name of the volume, and of the container that holds its lease. */
  name: string;
  /** Image with `sh`, GNU `find`, `tar`, `xargs` and `rm`. */
  image: string;
  /** Labels of the container, and of the volume if it is created. */
  labels: { container: Record<string, string>; volume: Record<string, string> };
  usernsMode?: string;
}

/** Suggestion where one of the programs is missing. */
export const lookAtImage = 'see that the image to build in has sh, GNU find, tar, xargs and rm';

/** Folder of the volume in the lease's container. */
export const volumeDir = 'workspace';

/** Files of the lease's container: written just before and just after the volume is filled, by the same clock. */
const beganFile = 'gbuild-began';
const sentFile = 'gbuild-sent';
const foldersFile = '/gbuild-folders';

/** Ends every answer with a last record; two of its fields are empty, as in other records. */
const end = (rest: string) => `printf 'end %s %s\\0\\0\\0' "$?" "${rest}"`;

/**
 * Lists what is newer than the last transfer, minus some seconds, then everything directly in the changed folders.
 * Deleted paths are missing there, and a moved file may be old.
 */
const changed = `since=$(( $(stat -c %Z /${beganFile}) - $many ))
times="$(find /${sentFile} -printf %C@) $(date +%s.%N)"
find . -newerct "@$since" \\( -type d -printf '${listingFormat}' -fprint0 ${foldersFile} -o -printf '${listingFormat}' \\) &&
printf 'below\\0\\0\\0' &&
xargs -0 -r -a ${foldersFile} sh -c 'find "$@" -mindepth 1 -maxdepth 1 -printf "$0"' '${listingFormat}'
${end('$times')}`;

/** Answers every line that it reads, and ends with its input, also when gbuild is killed. */
const leaseScript = `cd /${volumeDir} || exit 1
while read -r what many; do
case $what in
list) find . -mindepth 1 -printf '${listingFormat}'; ${end('')};;
changed) ${changed};;
stamp) touch -m -d "@$many" .; ${end('')};;
*) true; ${end('')};;
esac
done`;

/**
 * Unpacks an archive as the engine itself would. On failure it still reads everything, so that the error message
 * arrives.
 */
export const unpackCommand = [
  'sh',
  '-c',
  'tar -C / -xPf - --warning=no-timestamp || { code=$?; cat >/dev/null; exit $code; }',
];

export function containerOf({ name, image, labels, usernsMode }: LeaseSpec): ContainerSpec {
  return {
    ...bareContainer(image, ['sh', '-c', leaseScript]),
    name,
    entrypoint: [''],
    mounts: [{ type: 'volume', name, containerDir: `/${volumeDir}`, labels: labels.volume }],
    stdin: true,
    // The files may belong to anybody, with any mode.
    capAdd: ['CHOWN', 'DAC_OVERRIDE', 'FOWNER'],
    labels: labels.container,
    ...(usernsMode !== undefined && { usernsMode }),
  };
}

/** Moves the items below the volume's folder, between the two files that record the times. */
export function* markItems(items: Iterable<TarItem>): Generator<TarItem> {
  yield mark(beganFile);
  for (const { header, content } of items) {
    const path = header.path === '' ? volumeDir : `${volumeDir}/${header.path}`;
    yield { header: { ...header, path }, content };
  }
  yield mark(sentFile);
}

/** Makes a file whose change time records a moment. */
function mark(path: string): TarItem {
  const header = { path, type: 'file', mode: 0o600, uid: 0, gid: 0, mtime: 0, size: 0 } as const;
  return { header, content: { bytes: new Uint8Array(0), size: 0 } };
}
