import { join } from 'node:path';
import type { ServiceContainer } from '../../../engine/service/service-container.ts';
import { describeBrokenLog, LogFile } from '../../../reporter/log-file.ts';
import type { Mask } from '../../../secrets/mask.ts';

/** Path of a service's log, next to those of the tasks. */
export function serviceLogFile(logDir: string, name: string): string {
  return join(logDir, 'services', `${name}.log`);
}

/** Number of bytes that are enough for a few lines. */
const mostKept = 4_096;
const mostLines = 5;

/**
 * Writes everything that a service has printed into a file, with secrets masked. Returns its last lines. Calls `warn`
 * when the disk refuses the file.
 */
export async function keepServiceLog(
  container: ServiceContainer,
  file: string,
  mask: Pick<Mask, 'openStream'>,
  warn: (text: string) => void,
): Promise<string[]> {
  const streams = { stdout: mask.openStream(), stderr: mask.openStream() };
  const log = new LogFile(file);
  let tail = Buffer.alloc(0);
  const write = (chunk: Buffer) => {
    log.write(chunk);
    tail = Buffer.concat([tail, chunk]).subarray(-mostKept);
  };
  try {
    write(Buffer.alloc(0));
    for await (const { stream, data } of container.readLog()) write(streams[stream].push(data));
    for (const stream of Object.values(streams)) write(stream.end());
  } finally {
    log.close();
    if (log.failure !== undefined) warn(describeBrokenLog(file, log.failure));
  }
  return tail.toString().trimEnd().split('\n').slice(-mostLines).filter(Boolean);
}
