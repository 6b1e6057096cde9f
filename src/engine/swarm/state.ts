import { readField, readNumber, readText } from '../answer/json.ts';

/** Machine of the cluster, as its manager reports it. */
export interface SwarmNode {
  id: string;
  name: string;
  /** Whether the manager has lost it, with everything that ran there. */
  isDown: boolean;
  /** Whether it takes new work. */
  isFree: boolean;
  cpus: number;
  /** Memory in bytes. */
  memory: number;
}

/** Parses an answer of GET /nodes or /nodes/{id}. */
export function parseNode(json: unknown): SwarmNode {
  const description = readField(json, 'Description');
  const resources = readField(description, 'Resources');
  const state = readText(readField(json, 'Status'), 'State');
  const availability = readText(readField(json, 'Spec'), 'Availability');
  return {
    id: readText(json, 'ID') ?? '',
    name: readText(description, 'Hostname') ?? '',
    isDown: state === 'down' || state === 'disconnected',
    isFree: state === 'ready' && availability === 'active',
    cpus: (readNumber(resources, 'NanoCPUs') ?? 0) / 1e9,
    memory: readNumber(resources, 'MemoryBytes') ?? 0,
  };
}

/** Task of a job: its state and its node. */
export interface SwarmTask {
  id: string;
  state: 'waiting' | 'running' | 'ended' | 'refused' | 'lost';
  node?: string;
  /** Cluster's own words about its state and its failure. */
  message: string;
  exitCode?: number;
}

const states: Record<string, SwarmTask['state']> = {
  running: 'running',
  complete: 'ended',
  failed: 'ended',
  shutdown: 'ended',
  remove: 'ended',
  rejected: 'refused',
  orphaned: 'lost',
};

/** Parses an answer of GET /tasks or /tasks/{id}. */
export function parseTask(json: unknown): SwarmTask {
  const status = readField(json, 'Status');
  const exitCode = readNumber(readField(status, 'ContainerStatus'), 'ExitCode');
  const node = readText(json, 'NodeID');
  const words = [readText(status, 'Err'), readText(status, 'Message')];
  return {
    id: readText(json, 'ID') ?? '',
    state: states[readText(status, 'State') ?? ''] ?? 'waiting',
    message: words.find((text) => text) ?? '',
    ...(node && { node }),
    ...(exitCode !== undefined && { exitCode }),
  };
}
