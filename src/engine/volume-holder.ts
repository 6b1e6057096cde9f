import { PassThrough, Readable } from 'node:stream';
import { GbuildError } from '../errors.ts';
import { type TarItem, writeTar } from '../oci/tar.ts';
import { bareContainer, type ContainerSpec } from './container-spec.ts';
import { execute } from './exec.ts';
import { keepWatch } from './heartbeat.ts';
import { type ListedPath, ListingReader, listingFormat } from './listing.ts';
import { runContainer } from './run.ts';
import { openUpload } from './transfer.ts';
import type { Wire } from './wire.ts';

export interface HolderSpec {
  /** Of the volume, and of the container that holds it. */
  name: string;
  /** With `sh`, GNU `find`, `tar`, `xargs` and `rm`. */
  image: string;
  /** Of the container, and of the volume if it is made. */
  labels: { container: Record<string, string>; volume: Record<string, string> };
  usernsMode?: string;
}

/** Where the volume stands in its holder. */
const place = 'workspace';

/** Milliseconds that a holder has to end with its input before it is killed. */
const mostPatience = 3_000;

/** Lists at every line that it reads, and ends with its input: also when gbuild is killed. */
const script = `cd /${place} || exit 1
while read -r _; do find . -mindepth 1 -printf '${listingFormat}'; printf 'end %s\\0\\0\\0' "$?"; done`;

/**
 * A volume of the engine's, held by a container of the same name for as long as a run works on it: the engine makes no two
 * containers of one name, so nobody else gets the volume meanwhile. It tells what is in the volume, and changes it.
 */
export class VolumeHolder {
  readonly volume: string;
  /** It has not ended, as far as is known: a connection that breaks ends it. */
  isOpen = true;
  readonly #wire: Wire;
  readonly #lines = new PassThrough();
  readonly #ended: Promise<never>;
  readonly #over: Promise<void>;
  readonly #kill = new AbortController();
  #reader = new ListingReader();
  #listed: ((rest: string) => void) | undefined;
  #complaint = '';

  /** Begins to run; whether the name was free is told by the first `list`. */
  constructor(wire: Wire, spec: HolderSpec) {
    this.#wire = wire;
    this.volume = spec.name;
    const never = new AbortController().signal;
    const kill = this.#kill.signal;
    const run = runContainer(wire, containerOf(spec), {
      stdin: this.#lines,
      stop: { ask: never, kill },
      onOutput: (stream, chunk) => {
        if (stream === 'stdout') this.#take(chunk);
        else this.#complaint = `${this.#complaint}${chunk}`.slice(0, 1000);
      },
    });
    this.#over = run.then(() => {});
    this.#over.catch(() => {});
    this.#ended = run.then(({ exitCode, startError = 'it ended' }) => {
      throw this.#broken(`${startError} (exit code ${exitCode})`);
    });
    this.#ended.catch(() => {
      this.isOpen = false;
    });
  }

  /** Everything in the volume, folders before what is in them. */
  async list(signal: AbortSignal): Promise<ListedPath[]> {
    this.#reader = new ListingReader();
    const listed = new Promise<string>((resolve) => {
      this.#listed = resolve;
    });
    this.#lines.write('list\n');
    const rest = await keepWatch(this.#wire, 'list the workspace', signal, () => Promise.race([listed, this.#ended]));
    if (rest !== '0') throw this.#broken(`find ended with exit code ${rest}`);
    return this.#reader.take();
  }

  /** Of these alone, in any order. */
  async stat(paths: string[], signal: AbortSignal): Promise<ListedPath[]> {
    const reader = new ListingReader();
    const inner = `find "$@" -maxdepth 0 -printf '${listingFormat}'`;
    const command = ['sh', '-c', `cd /${place} && xargs -0 -r sh -c "$0" sh`, inner];
    for await (const chunk of this.#run('look at the workspace', command, paths, signal)) reader.read(chunk);
    return reader.take();
  }

  /** With all that is in them. */
  async remove(paths: string[], signal: AbortSignal): Promise<void> {
    const command = ['sh', '-c', `cd /${place} && exec xargs -0 -r rm -rf --`];
    for await (const _ of this.#run('remove files of the workspace', command, paths, signal));
  }

  /** PUT /containers/{id}/archive; paths are relative to the volume, what stands there already is replaced. */
  async put(items: Iterable<TarItem>, signal: AbortSignal): Promise<void> {
    const what = 'take the workspace';
    await keepWatch(this.#wire, what, signal, async (either) => {
      const upload = openUpload(Readable.from(writeTar(placed(items)), { objectMode: true, highWaterMark: 2 }));
      const answer = await upload.orThrow(
        this.#wire.send({
          what,
          method: 'PUT',
          path: `/containers/${this.volume}/archive`,
          query: { path: '/', noOverwriteDirNonDir: true },
          body: upload.body,
          signal: either,
        }),
      );
      if (answer.statusCode !== 200) await this.#wire.refuse(answer, what);
      await this.#wire.readText(answer, what);
      upload.throwIfFailed();
    });
  }

  /** A tar of these files and links, named as given; a reader that stops early stops it. */
  pack(paths: string[], signal: AbortSignal): AsyncGenerator<Buffer> {
    const command = ['tar', '-C', `/${place}`, '--no-recursion', '--hard-dereference', '--null', '-T', '-', '-cf', '-'];
    return this.#run('give back files of the workspace', command, paths, signal);
  }

  /** Lets go of the volume: the container is gone afterwards. */
  async close(): Promise<void> {
    this.#lines.end();
    const late = setTimeout(() => this.#kill.abort(new Error('it did not end by itself')), mostPatience);
    try {
      await this.#over;
    } catch (thrown) {
      if (thrown !== this.#kill.signal.reason) throw thrown;
    } finally {
      clearTimeout(late);
    }
  }

  #run(what: string, command: string[], paths: string[], signal: AbortSignal): AsyncGenerator<Buffer> {
    const input = Buffer.from(paths.map((path) => `./${path}\0`).join(''));
    return execute(this.#wire, this.volume, { what, command, input, user: '0:0' }, signal);
  }

  #take(chunk: Buffer): void {
    const rest = this.#reader.read(chunk);
    if (rest !== undefined) this.#listed?.(rest);
  }

  #broken(how: string): GbuildError {
    const said = this.#complaint.trim().split('\n')[0];
    return new GbuildError(
      'engine-failed',
      `the workspace on the engine at ${this.#wire.endpoint.url} cannot be looked at: ${how}${said ? `: ${said}` : ''}`,
      {
        suggestions: ['see that the image to build in has sh, GNU find, tar, xargs and rm', 'gbuild doctor'],
        facts: { endpoint: this.#wire.endpoint.url, volume: this.volume },
      },
    );
  }
}

function containerOf({ name, image, labels, usernsMode }: HolderSpec): ContainerSpec {
  return {
    ...bareContainer(image, ['sh', '-c', script]),
    name,
    entrypoint: [''],
    mounts: [{ type: 'volume', name, containerDir: `/${place}`, labels: labels.volume }],
    stdin: true,
    // Its own may be anybody's, with any mode.
    capAdd: ['DAC_OVERRIDE', 'FOWNER'],
    labels: labels.container,
    ...(usernsMode !== undefined && { usernsMode }),
  };
}

function* placed(items: Iterable<TarItem>): Generator<TarItem> {
  for (const { header, content } of items) {
    const path = header.path === '' ? place : `${place}/${header.path}`;
    yield { header: { ...header, path }, content };
  }
}
