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

/** Another one whenever a gbuild of before could not use what is written, or this one what was. */
const version = 1;

type Check = (value: unknown) => boolean;

const isText: Check = (value) => typeof value === 'string';
const isCount: Check = (value) => Number.isSafeInteger(value) && Number(value) >= 0;
const isTexts: Check = (value) => Array.isArray(value) && value.every(isText);

function isRecord(fields: Record<string, Check>, optional: Record<string, Check> = {}): Check {
  return (value) => {
    if (typeof value !== 'object' || value === null) return false;
    const found = value as Record<string, unknown>;
    const isFit = ([name, check]: [string, Check]) => check(found[name]);
    const isFitOrNone = ([name, check]: [string, Check]) => found[name] === undefined || check(found[name]);
    return Object.entries(fields).every(isFit) && Object.entries(optional).every(isFitOrNone);
  };
}

const isDetachedTask = isRecord(
  {
    version: (value) => value === version,
    runId: isText,
    task: isText,
    repository: isText,
    rootDir: isText,
    engine: isText,
    choice: isRecord({}, { host: isText, context: isText, machine: isText }),
    watched: isRecord({
      id: isText,
      tty: (value) => typeof value === 'boolean',
      seen: isRecord({ stdout: isCount, stderr: isCount }),
      graceSeconds: isCount,
    }),
    reports: isTexts,
    log: isText,
  },
  {
    copy: isRecord({ volume: isText, image: isText }),
    services: (value) => Array.isArray(value) && value.every(isRecord({ name: isText, id: isText, log: isText })),
  },
);

export function formatDetached(task: DetachedTask): string {
  return `${JSON.stringify({ version, ...task }, undefined, 2)}\n`;
}

/** Undefined for what another gbuild wrote, or is damaged. */
export function parseDetached(text: string): DetachedTask | undefined {
  try {
    const { version: own, ...task } = JSON.parse(text) as DetachedTask & { version: number };
    return isDetachedTask({ version: own, ...task }) ? task : undefined;
  } catch {
    return undefined;
  }
}
