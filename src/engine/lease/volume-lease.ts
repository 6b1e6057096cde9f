import { type TarItem, writeTar } from '../../oci/tar/tar.ts';
import type { EngineClient } from '../client/client.ts';
import { keepWatch } from '../client/heartbeat.ts';
import { createContainer } from '../container/container.ts';
import { execute } from '../container/exec.ts';
import { readMtime } from '../container/probe.ts';
import { openUpload } from '../image/archive.ts';
import { containerOf, type LeaseSpec, lookAtImage, markItems, unpackCommand, volumeDir } from './lease-container.ts';
import { LeaseProcess } from './lease-process.ts';
import { type ListedPath, ListingReader, listingFormat } from './listing.ts';

const taking = 'receive the workspace';

/** Changes in a volume since the last `put`. */
export interface VolumeChange {
  /** Changed paths; the volume itself is ''. */
  newer: ListedPath[];
  /** Everything directly in the changed folders. */
  below: ListedPath[];
  /** Time of the last `put` in seconds, comparable with fingerprints: its own files are not newer. */
  sent: number;
}

/**
 * Lease on a volume, held by a container of the same name while a run works on it. An engine refuses two containers of
 * one name, so no other run gets the volume meanwhile. The created container already accepts files for the volume; it
 * starts for any other request.
 */
export class VolumeLease {
  readonly volume: string;
  readonly #client: EngineClient;
  readonly #id: string;
  readonly #process: LeaseProcess;
  #lastPut: Moments | undefined;

  private constructor(client: EngineClient, volume: string, id: string, process: LeaseProcess) {
    this.#client = client;
    this.volume = volume;
    this.#id = id;
    this.#process = process;
  }

  /**
   * Creates the container, and the volume where it is missing. @throws EngineRefusalError of status 409: the name is
   * taken
   */
  static async create(client: EngineClient, spec: LeaseSpec): Promise<VolumeLease> {
    const container = containerOf(spec);
    const id = await createContainer(client, container);
    return new VolumeLease(client, spec.name, id, new LeaseProcess(client, id, container));
  }

  /** Whether it is still open, as far as is known. */
  get isOpen(): boolean {
    return this.#process.isOpen;
  }

  /** Starts the container, so that later requests need not wait for the start. */
  start(): void {
    this.#process.start();
  }

  /**
   * Reads the clean marker: the time of the volume's own folder, as the engine reports it; undefined where it cannot be
   * read.
   */
  async readCleanMarker(signal: AbortSignal): Promise<string | undefined> {
    return (await readMtime(this.#client, this.#id, `/${volumeDir}`, signal))?.toString();
  }

  /** Sets the clean marker: a time of the volume's folder, in nanoseconds. Any `put` replaces it. */
  async writeCleanMarker(time: string, signal: AbortSignal): Promise<void> {
    await this.#process.ask('mark the workspace as clean', `stamp ${time.slice(0, -9)}.${time.slice(-9)}`, signal);
  }

  /** Lists everything in the volume, folders before their content. */
  async list(signal: AbortSignal): Promise<ListedPath[]> {
    return (await this.#process.ask('list the workspace', 'list', signal)).paths.take();
  }

  /**
   * Lists changes since the last `put`. Undefined where they cannot be determined: nothing was put, or the engine's
   * clock was set.
   */
  async listChanged(signal: AbortSignal): Promise<VolumeChange | undefined> {
    const put = this.#lastPut;
    if (put === undefined) return undefined;
    const asked = performance.now();
    const margin = marginOf(asked - put.began);
    const { paths, words } = await this.#process.ask('list the workspace', `changed ${margin}`, signal);
    const [sent = Number.NaN, now = Number.NaN] = words.map(Number);
    const answered = performance.now();
    const passed = (now - sent) * 1000;
    const slack = (margin - 1) * 1000;
    if (!(passed > asked - put.ended - slack && passed < answered - put.began + slack)) return undefined;
    return { newer: paths.takeAbove(), below: paths.take(), sent };
  }

  /** Lists everything in these folders, without the folders themselves. */
  async listBelow(paths: string[], signal: AbortSignal): Promise<ListedPath[]> {
    const reader = new ListingReader();
    const inner = `find "$@" -mindepth 1 -printf '${listingFormat}'`;
    const command = ['sh', '-c', `cd /${volumeDir} && xargs -0 -r sh -c "$0" sh`, inner];
    for await (const chunk of this.#run('look at the workspace', command, paths, signal, true)) reader.read(chunk);
    return reader.take();
  }

  /** Removes paths with everything in them. */
  async remove(paths: string[], signal: AbortSignal): Promise<void> {
    const command = ['sh', '-c', `cd /${volumeDir} && exec xargs -0 -r rm -rf --`];
    for await (const _ of this.#run('remove files of the workspace', command, paths, signal, false));
  }

  /**
   * Puts items into the volume. Paths are relative to it ('' is the volume itself), and existing files are replaced.
   * `listChanged` counts from here. With `many`, the container's `tar` unpacks them: it needs half of the engine's own
   * time for each file, but a running container.
   */
  async put(items: Iterable<TarItem>, signal: AbortSignal, { many = false } = {}): Promise<void> {
    // podman gives a request access to the volume only through a running container.
    if (many || (await this.#client.isPodman())) await this.#wake(taking, signal);
    const began = performance.now();
    this.#lastPut = undefined;
    const archive = writeTar(markItems(items));
    await keepWatch(this.#client, taking, signal, (either) =>
      many ? this.#unpack(archive, either) : this.#upload(archive, either),
    );
    this.#lastPut = { began, ended: performance.now() };
  }

  /** Streams a tar of these files and links, named as given; it stops when the reader stops. */
  pack(paths: string[], signal: AbortSignal): AsyncGenerator<Buffer> {
    const command = [
      'tar',
      '-C',
      `/${volumeDir}`,
      '--no-recursion',
      '--hard-dereference',
      '--null',
      '-T',
      '-',
      '-cf',
      '-',
    ];
    return this.#run('send back files of the workspace', command, paths, signal, true);
  }

  /** Releases the volume and removes the container. */
  close(): Promise<void> {
    return this.#process.close();
  }

  async #wake(what: string, signal: AbortSignal): Promise<void> {
    if (!this.#process.isAwake) await this.#process.ask(what, 'wake', signal);
  }

  /** Uploads an archive (PUT /containers/{id}/archive). */
  async #upload(archive: Iterable<Buffer>, signal: AbortSignal): Promise<void> {
    const upload = openUpload(archive);
    const answer = await upload.orThrow(
      this.#client.send({
        what: taking,
        method: 'PUT',
        path: `/containers/${this.#id}/archive`,
        query: { path: '/', noOverwriteDirNonDir: true },
        body: upload.body,
        signal,
      }),
    );
    if (answer.statusCode !== 200) await this.#client.refuse(answer, taking);
    await this.#client.readText(answer, taking);
    upload.throwIfFailed();
  }

  async #unpack(archive: Iterable<Buffer>, signal: AbortSignal): Promise<void> {
    for await (const _ of this.#execute(taking, unpackCommand, archive, signal, true));
  }

  async *#run(
    what: string,
    command: string[],
    paths: string[],
    signal: AbortSignal,
    isBusy: boolean,
  ): AsyncGenerator<Buffer> {
    await this.#wake(what, signal);
    const input = [Buffer.from(paths.map((path) => `./${path}\0`).join(''))];
    yield* this.#execute(what, command, input, signal, isBusy);
  }

  #execute(
    what: string,
    command: string[],
    input: Iterable<Buffer>,
    signal: AbortSignal,
    isBusy: boolean,
  ): AsyncGenerator<Buffer> {
    const request = { what, command, input, user: '0:0', unfound: [lookAtImage], isBusy };
    return execute(this.#client, this.#id, request, signal);
  }
}

interface Moments {
  began: number;
  ended: number;
}

/** Returns the seconds by which two clocks may differ after so many milliseconds, with one second of reserve. */
function marginOf(passed: number): number {
  return Math.ceil(2 + passed / 500_000);
}
