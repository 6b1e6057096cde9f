import type { TarItem } from '../../oci/tar/tar.ts';
import { bareContainer, type ContainerSpec } from '../container/spec.ts';
import { listingFormat } from './listing.ts';

export interface LeaseSpec {
  /** Name of the volume, and of the container that holds it. */
  name: string;
  /** With `sh`, GNU `find`, `tar`, `xargs` and `rm`. */
  image: string;
  /** Labels of the container, and of the volume if it is made. */
  labels: { container: Record<string, string>; volume: Record<string, string> };
  usernsMode?: string;
}

/** For who misses one of the programs. */
export const lookAtImage = 'see that the image to build in has sh, GNU find, tar, xargs and rm';

/** Folder of the volume in the lease's container. */
export const volumeDir = 'workspace';

/** Files of the lease's container: made just before and just after something was put into the volume, by the same clock. */
const beganFile = 'gbuild-began';
const sentFile = 'gbuild-sent';
const foldersFile = '/gbuild-folders';

/** Ends every answer with a last record; two more of its fields are empty, as everywhere. */
const end = (rest: string) => `printf 'end %s %s\\0\\0\\0' "$?" "${rest}"`;

/**
 * Lists what is newer than the last sending, less some seconds; then all that is directly in folders of those, for what
 * is gone is not new, and what was moved there may be old.
 */
const changed = `since=$(( $(stat -c %Z /${beganFile}) - $many ))
times="$(find /${sentFile} -printf %C@) $(date +%s.%N)"
find . -newerct "@$since" \\( -type d -printf '${listingFormat}' -fprint0 ${foldersFile} -o -printf '${listingFormat}' \\) &&
printf 'below\\0\\0\\0' &&
xargs -0 -r -a ${foldersFile} sh -c 'find "$@" -mindepth 1 -maxdepth 1 -printf "$0"' '${listingFormat}'
${end('$times')}`;

/** Answers every line that it reads, and ends with its input: also when gbuild is killed. */
const leaseScript = `cd /${volumeDir} || exit 1
while read -r what many; do
case $what in
list) find . -mindepth 1 -printf '${listingFormat}'; ${end('')};;
changed) ${changed};;
stamp) touch -m -d "@$many" .; ${end('')};;
*) true; ${end('')};;
esac
done`;

/** Takes an archive as the engine itself would. One that fails still takes all of it, so that its complaint gets through. */
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
    // Its own may be anybody's, with any mode.
    capAdd: ['CHOWN', 'DAC_OVERRIDE', 'FOWNER'],
    labels: labels.container,
    ...(usernsMode !== undefined && { usernsMode }),
  };
}

/** Below the volume's place, between the two files that tell when. */
export function* markItems(items: Iterable<TarItem>): Generator<TarItem> {
  yield mark(beganFile);
  for (const { header, content } of items) {
    const path = header.path === '' ? volumeDir : `${volumeDir}/${header.path}`;
    yield { header: { ...header, path }, content };
  }
  yield mark(sentFile);
}

/** Its change time is what counts. */
function mark(path: string): TarItem {
  const header = { path, type: 'file', mode: 0o600, uid: 0, gid: 0, mtime: 0, size: 0 } as const;
  return { header, content: { bytes: new Uint8Array(0), size: 0 } };
}
