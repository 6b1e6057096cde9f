import { type IncomingMessage, request } from 'node:http';
import { Demuxer, type Frame } from '../../../src/engine/answer/demux.ts';
import { addressOf, askEngine } from './engine-http.ts';

/** Result of a command in a container: its exit code, each stream alone, and both in order of arrival. */
export interface ExecResult {
  exitCode: number;
  stdout: string;
  stderr: string;
  output: string;
  seconds: number;
}

export interface ExecCall {
  user?: string;
  env?: Record<string, string>;
  cwd?: string;
}

/** Runs a command in a running container. */
export async function execIn(host: string, id: string, command: string[], call: ExecCall = {}): Promise<ExecResult> {
  const began = performance.now();
  const created = await askEngine(host, 'POST', `/containers/${id}/exec`, {
    json: {
      AttachStdout: true,
      AttachStderr: true,
      Cmd: command,
      User: call.user ?? '0:0',
      WorkingDir: call.cwd ?? '/',
      Env: Object.entries(call.env ?? {}).map(([name, value]) => `${name}=${value}`),
    },
  });
  if (created.status !== 201) throw new Error(`the container runs nothing: ${created.text}`);
  const { Id: exec } = JSON.parse(created.text) as { Id: string };
  const frames = await readFrames(host, exec);
  const { ExitCode } = JSON.parse((await askEngine(host, 'GET', `/exec/${exec}/json`)).text) as { ExitCode: number };
  const textOf = (wanted: Frame[]) => Buffer.concat(wanted.map(({ data }) => data)).toString('utf8');
  return {
    exitCode: ExitCode,
    stdout: textOf(frames.filter(({ stream }) => stream === 'stdout')),
    stderr: textOf(frames.filter(({ stream }) => stream === 'stderr')),
    output: textOf(frames),
    seconds: (performance.now() - began) / 1000,
  };
}

/** Has no time limit, because a step may be silent for long. */
async function readFrames(host: string, exec: string): Promise<Frame[]> {
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    const headers = { 'Content-Type': 'application/json' };
    const outgoing = request({ ...addressOf(host), method: 'POST', path: `/exec/${exec}/start`, headers }, resolve);
    outgoing.on('error', reject).end(JSON.stringify({ Detach: false, Tty: false }));
  });
  const demuxer = new Demuxer();
  const frames: Frame[] = [];
  for await (const chunk of answer) frames.push(...demuxer.split(chunk as Buffer));
  return frames;
}
