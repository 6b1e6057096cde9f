import type { Readable } from 'node:stream';
import { GbuildError } from '../../errors.ts';
import { formatTail } from '../../escape.ts';
import type { Stop } from '../../host.ts';
import { readField, readText } from '../answer/json.ts';
import type { EngineClient } from '../client/client.ts';
import { keepWatch } from '../client/heartbeat.ts';
import { errorIn, readMessages } from '../client/progress-stream.ts';
import { openUpload } from './archive.ts';
import { type BuildEvent, TraceReader } from './buildkit.ts';
import { ClassicReader } from './classic-build.ts';
import { inspectImage } from './images.ts';

export interface BuildRequest {
  /** Title of the build in messages; defaults to its first tag. */
  title?: string;
  /** Tar with the Dockerfile and the files that it copies. */
  context: Iterable<Buffer> | AsyncIterable<Buffer> | Readable;
  /** Path in the context; defaults to `Dockerfile`. */
  dockerfile?: string;
  target?: string;
  tags: string[];
  args: Record<string, string>;
  labels: Record<string, string>;
  /** Network of RUN steps. */
  network?: string;
  /** Whether to run every step again, without the builder's cache. */
  noCache?: boolean;
  onProgress?: (event: BuildEvent) => void;
  stop: Stop;
}

/** Failure: a step of the Dockerfile failed. */
export class BuildStepError extends GbuildError {}

const keptLines = 20;

/** Number of request timeouts for which a step of a build may be silent. */
const longestStep = 60;

/**
 * Builds an image (POST /build) by BuildKit or the classic builder. Returns its id.
 *
 * @throws BuildStepError with the failing step and its last lines; GbuildError `engine-failed` where no step failed;
 * the stop's reason when asked to stop
 */
export async function buildImage(
  client: EngineClient,
  request: BuildRequest,
  builder: 'buildkit' | 'classic',
): Promise<string> {
  const what = `build ${request.title ?? request.tags[0] ?? 'an image'}`;
  return keepWatch(client, what, request.stop.ask, async (signal) => {
    const upload = openUpload(request.context);
    const answer = await upload.orThrow(
      client.send({
        what,
        method: 'POST',
        path: '/build',
        query: formatQuery(request, builder),
        body: upload.body,
        headers: { 'Content-Type': 'application/x-tar' },
        signal,
      }),
    );
    if (answer.statusCode !== 200) await client.refuse(answer, what);
    const history = new StepHistory(request.onProgress);
    // The first message comes when the context has arrived; a step may print nothing for long.
    const silence = () =>
      history.hasBegun ? longestStep * client.requestTimeout : upload.silence(client.requestTimeout);
    const outcome = await readOutcome(readMessages(client, answer, what, silence), history);
    upload.throwIfFailed();
    if (outcome.error !== undefined) throw history.failure(client, what, outcome.error);
    return outcome.id ?? (await findBuilt(client, request.tags, what));
  });
}

function formatQuery(request: BuildRequest, builder: 'buildkit' | 'classic') {
  return {
    version: builder === 'buildkit' ? 2 : 1,
    dockerfile: request.dockerfile,
    target: request.target,
    t: request.tags,
    buildargs: JSON.stringify(request.args),
    labels: JSON.stringify(request.labels),
    networkmode: request.network,
    nocache: request.noCache === true ? true : undefined,
    rm: true,
    forcerm: true,
  };
}

async function readOutcome(
  messages: AsyncIterable<unknown>,
  history: StepHistory,
): Promise<{ id: string | undefined; error: string | undefined }> {
  const traces = await TraceReader.open();
  const classic = new ClassicReader();
  let id: string | undefined;
  let error: string | undefined;
  for await (const message of messages) {
    history.hasBegun = true;
    const aux = readField(message, 'aux');
    if (readText(message, 'id') === 'moby.buildkit.trace' && typeof aux === 'string') history.add(traces.read(aux));
    id = readText(aux, 'ID') ?? id;
    history.add(classic.read(readText(message, 'stream') ?? ''));
    error = errorIn(message)?.message ?? error;
  }
  history.add(classic.finish(error === undefined ? 'done' : 'failed'));
  return { id, error };
}

/** Finds the image by its tag where the builder does not report the id (podman's answer differs). */
async function findBuilt(client: EngineClient, tags: string[], what: string): Promise<string> {
  const image = tags[0] === undefined ? undefined : await inspectImage(client, tags[0]);
  if (image !== undefined) return image.id;
  throw new GbuildError(
    'engine-failed',
    `the engine at ${client.endpoint.url} stopped without a result while asked to ${what}`,
    {
      suggestions: ['gbuild doctor', 'try again'],
      facts: { endpoint: client.endpoint.url },
    },
  );
}

/** Passes events on and keeps the last lines of each step, for the one that fails. */
class StepHistory {
  /** Whether the builder has sent a message: it works, and may be silent meanwhile. */
  hasBegun = false;
  readonly #names = new Map<string, string>();
  readonly #lines = new Map<string, string[]>();
  readonly #onProgress: ((event: BuildEvent) => void) | undefined;
  #failed: string | undefined;

  constructor(onProgress: ((event: BuildEvent) => void) | undefined) {
    this.#onProgress = onProgress;
  }

  add(events: BuildEvent[]): void {
    for (const event of events) {
      this.#remember(event);
      this.#onProgress?.(event);
    }
  }

  #remember(event: BuildEvent): void {
    if (event.kind === 'log') {
      const lines = this.#lines.get(event.id) ?? [];
      lines.push(event.line);
      if (lines.length > keptLines) lines.shift();
      this.#lines.set(event.id, lines);
      return;
    }
    this.#names.set(event.id, event.name);
    // Steps that run at the same time as the failing one are cancelled and report an error later.
    if (event.state === 'failed') this.#failed ??= event.id;
  }

  failure(client: EngineClient, what: string, reason: string): GbuildError {
    const step = this.#failed === undefined ? undefined : this.#names.get(this.#failed);
    const lines = this.#failed === undefined ? [] : (this.#lines.get(this.#failed) ?? []);
    const where = step === undefined ? '' : formatTail([`at step "${shortenStep(step)}"`]);
    const tail = formatTail(lines);
    const ErrorClass = step === undefined ? GbuildError : BuildStepError;
    return new ErrorClass('engine-failed', `could not ${what}: ${shortenReason(reason)}${tail}${where}`, {
      suggestions: ['correct the Dockerfile or what it needs, then run it again'],
      facts: { endpoint: client.endpoint.url, ...(step !== undefined && { step }), log: lines },
    });
  }
}

/**
 * Shortens a step to its first line, which identifies it: a command of a hundred lines hides the reason, and builders
 * repeat it.
 */
function shortenStep(step: string): string {
  const [first = ''] = step.split(/\n|\\\n|\s&&\s/);
  const short = first.slice(0, 100).trimEnd();
  return short.length < step.length ? `${short} ...` : short;
}

/** Removes the command from BuildKit's and the classic builder's sentences. */
function shortenReason(reason: string): string {
  const ended =
    /(?:executor failed running \[.*\]|process ".*" did not complete successfully): (.*)$/s.exec(reason)?.[1] ??
    /^The command '.*' returned a non-zero code: (\d+)/s.exec(reason)?.[1];
  return ended === undefined ? reason : `its command ended with ${ended.replace(/^(\d+)$/, 'exit code: $1')}`;
}
