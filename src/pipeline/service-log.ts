import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { ServiceContainer } from '../engine/service-container.ts';
import type { Mask } from '../secrets/mask.ts';

/** Where the log of a service is kept, beside those of the tasks. */
export function serviceLogFile(logDir: string, name: string): string {
  return join(logDir, 'services', `${name}.log`);
}

/** Enough for a few lines. */
const mostKept = 4_096;
const mostLines = 5;

/** Writes all that a service has printed into a file, secrets masked; its last lines. */
export async function keepServiceLog(
  container: ServiceContainer,
  file: string,
  mask: Pick<Mask, 'openStream'>,
): Promise<string[]> {
  mkdirSync(dirname(file), { recursive: true });
  const streams = { stdout: mask.openStream(), stderr: mask.openStream() };
  const log = openSync(file, 'w', 0o600);
  let tail = Buffer.alloc(0);
  const write = (chunk: Buffer) => {
    writeSync(log, chunk);
    tail = Buffer.concat([tail, chunk]).subarray(-mostKept);
  };
  try {
    for await (const { stream, data } of container.readLog()) write(streams[stream].push(data));
    for (const stream of Object.values(streams)) write(stream.end());
  } finally {
    closeSync(log);
  }
  return tail.toString().trimEnd().split('\n').slice(-mostLines).filter(Boolean);
}
