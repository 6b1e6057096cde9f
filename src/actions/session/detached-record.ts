import { z } from 'zod';
import type { Watched } from '../../engine/container/resume.ts';
import type { EngineChoice } from './engine-choice.ts';

/** Task that continues on a lost engine: all facts that are needed to follow it again. */
export interface DetachedTask {
  runId: string;
  task: string;
  repository: string;
  rootDir: string;
  /** Address as DOCKER_HOST would spell it. */
  engine: string;
  choice: EngineChoice;
  watched: Watched;
  reports: string[];
  log: string;
  /** Services of the run, which end with the task. */
  services?: { name: string; id: string; log: string }[];
  /** Volume with the workspace's copy, and the image needed to read from it. */
  copy?: { volume: string; image: string };
}

/** Format version. It changes whenever an older gbuild could not use a new record, or this one an old record. */
export const detachedVersion = 1;

export function formatDetached(task: DetachedTask): string {
  return `${JSON.stringify({ version: detachedVersion, ...task }, undefined, 2)}\n`;
}

const count = z.int().min(0);

/** Keys that another gbuild added are dropped: if they mattered, it would have another version. */
const detachedSchema = z.object({
  version: z.literal(detachedVersion),
  runId: z.string(),
  task: z.string(),
  repository: z.string(),
  rootDir: z.string(),
  engine: z.string(),
  choice: z.object({
    host: z.exactOptional(z.string()),
    context: z.exactOptional(z.string()),
    machine: z.exactOptional(z.string()),
  }),
  watched: z.object({
    id: z.string(),
    tty: z.boolean(),
    seen: z.object({ stdout: count, stderr: count }),
    graceSeconds: count,
  }),
  reports: z.array(z.string()),
  log: z.string(),
  services: z.exactOptional(z.array(z.object({ name: z.string(), id: z.string(), log: z.string() }))),
  copy: z.exactOptional(z.object({ volume: z.string(), image: z.string() })),
});

/** Parses a record; returns the fault of a damaged one, or of one from another gbuild. */
export function parseDetached(text: string): { task: DetachedTask } | { fault: string } {
  let record: unknown;
  try {
    record = JSON.parse(text);
  } catch {
    return { fault: 'it is not JSON' };
  }
  const { success, data, error } = detachedSchema.safeParse(record);
  if (!success) return { fault: describeIssue(error.issues[0]) };
  const { version: _, ...task } = data;
  return { task };
}

/** Describes an issue without the value: an engine's address may hold a password. */
function describeIssue(issue: z.core.$ZodIssue | undefined): string {
  const key = issue?.path.join('.') ?? '';
  if (key === 'version') return `its format is not ${detachedVersion}, the one that this gbuild reads`;
  return `${key === '' ? '' : `${key}: `}${issue?.message ?? 'not a record'}`;
}
