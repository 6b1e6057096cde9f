import { z } from 'zod';
import type { Watched } from '../../engine/container/resume.ts';
import type { EngineChoice } from './engine-choice.ts';

/** A task that goes on, on an engine that was lost: all that one needs to watch it again. */
export interface DetachedTask {
  runId: string;
  task: string;
  repository: string;
  rootDir: string;
  /** As DOCKER_HOST would spell it. */
  engine: string;
  choice: EngineChoice;
  watched: Watched;
  reports: string[];
  log: string;
  /** Services of the run, which end with it. */
  services?: { name: string; id: string; log: string }[];
  /** Where the engine has the workspace in a volume: what comes back of it, and what it takes to look into it. */
  copy?: { volume: string; image: string };
}

/** Version of the format. Changes when this gbuild could not use an older record, or an older gbuild a new one. */
export const detachedVersion = 1;

export function formatDetached(task: DetachedTask): string {
  return `${JSON.stringify({ version: detachedVersion, ...task }, undefined, 2)}\n`;
}

const count = z.int().min(0);

/** Keys that another gbuild added are dropped: it would have another version if they mattered. */
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

/** Reads a record; for one that another gbuild wrote, or that is damaged, answers what is wrong with it. */
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

/** Shows no value: an engine's address may hold a password. */
function describeIssue(issue: z.core.$ZodIssue | undefined): string {
  const key = issue?.path.join('.') ?? '';
  if (key === 'version') return `its format is not ${detachedVersion}, the one that this gbuild reads`;
  return `${key === '' ? '' : `${key}: `}${issue?.message ?? 'not a record'}`;
}
