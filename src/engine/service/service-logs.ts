import { Demuxer, type Frame } from '../answer/demux.ts';
import { LineEnds, lineEnd } from '../answer/line-ends.ts';
import type { EngineClient } from '../client/client.ts';

export interface LogInput {
  service: string;
  /** Whether to continue until the signal fires: the log of a service never ends by itself. */
  follow: boolean;
  /** Bytes of each stream to skip: they were handed over before. */
  skip: { stdout: number; stderr: number };
  signal: AbortSignal;
  onOutput: (stream: Frame['stream'], chunk: Buffer) => void | Promise<void>;
}

/**
 * Reads the tasks' output, relayed by the cluster (GET /services/{id}/logs). Each frame is a line or a piece of one;
 * line ends that the log lost are restored.
 */
export async function readServiceLogs(client: EngineClient, input: LogInput): Promise<void> {
  const { service, follow, signal, onOutput } = input;
  const what = 'send the output of a job';
  const query = { follow, stdout: true, stderr: true };
  const within = follow ? { within: Number.POSITIVE_INFINITY } : {};
  const answer = await client.send({
    what,
    method: 'GET',
    path: `/services/${service}/logs`,
    query,
    signal,
    ...within,
  });
  if (answer.statusCode !== 200) await client.refuse(answer, what);
  const left = { ...input.skip };
  const pieces = new PieceReader();
  for await (const chunk of client.readChunks(answer, what, follow ? undefined : client.pace)) {
    for (const { stream, bytes } of pieces.read(chunk)) {
      const passed = Math.min(left[stream], bytes.length);
      left[stream] -= passed;
      if (passed < bytes.length) await onOutput(stream, bytes.subarray(passed));
    }
  }
}

interface Piece {
  stream: Frame['stream'];
  bytes: Buffer;
}

/** Joins frames of one stream that arrive together into one piece: most are short lines. */
class PieceReader {
  readonly #demuxer = new Demuxer();
  readonly #ends = new LineEnds();

  read(chunk: Buffer): Piece[] {
    const runs: { stream: Frame['stream']; parts: Buffer[] }[] = [];
    for (const frame of this.#demuxer.split(chunk)) {
      if (runs.at(-1)?.stream !== frame.stream) runs.push({ stream: frame.stream, parts: [] });
      if (this.#ends.isMissingBefore(frame)) runs.at(-1)!.parts.push(lineEnd);
      runs.at(-1)!.parts.push(frame.data);
    }
    return runs.map(({ stream, parts }) => ({ stream, bytes: Buffer.concat(parts) }));
  }
}
