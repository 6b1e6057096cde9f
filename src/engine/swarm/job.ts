import type { ContainerMount } from '../container/spec.ts';

/**
 * File that the cluster stores encrypted and that only the job's user may read: it is in no image and on no node's
 * disk.
 */
export interface JobFile {
  /** Id from `Swarm.createSecret`. */
  id: string;
  name: string;
  /** Absolute path in the container. */
  path: string;
}

/** Container that runs once, on a node that the cluster chooses. */
export interface JobSpec {
  name: string;
  /** Image by digest. */
  image: string;
  command: string[];
  uid: number;
  gid: number;
  env: Record<string, string>;
  workdir: string;
  caches: Extract<ContainerMount, { type: 'volume' }>[];
  files: JobFile[];
  network: 'bridge' | 'host';
  limits: { memory?: number; cpus?: number; pids?: number };
  /** Capabilities to keep; all others are dropped. */
  capAdd: string[];
  labels: Record<string, string>;
  /** Platform of the node, such as `linux/amd64`. */
  platform: string;
  /** Ids of nodes that must not run it. */
  avoid: readonly string[];
  /** Seconds between the request to stop (SIGTERM) and SIGKILL. */
  graceSeconds: number;
}

/** Formats the body of POST /services/create. */
export function formatJob(job: JobSpec): object {
  const [os, architecture] = job.platform.split('/');
  return {
    Name: job.name,
    Labels: job.labels,
    TaskTemplate: {
      ContainerSpec: formatContainer(job),
      Resources: { Limits: formatLimits(job.limits) },
      RestartPolicy: { Condition: 'none' },
      Placement: {
        Constraints: job.avoid.map((id) => `node.id!=${id}`),
        Platforms: [{ OS: os, Architecture: architecture }],
      },
      // The other readable driver returns text, not bytes.
      LogDriver: { Name: 'local', Options: { 'max-size': '1000g', 'max-file': '1', compress: 'false' } },
      ...(job.network === 'host' && { Networks: [{ Target: 'host' }] }),
    },
    Mode: { ReplicatedJob: { MaxConcurrent: 1, TotalCompletions: 1 } },
  };
}

function formatContainer(job: JobSpec): object {
  const { uid, gid } = job;
  return {
    Image: job.image,
    Labels: job.labels,
    Command: job.command,
    // Constant: a container's hostname gets into jars and logs.
    Hostname: 'gbuild',
    Env: Object.entries(job.env).map(([key, value]) => `${key}=${value}`),
    Dir: job.workdir,
    User: `${uid}:${gid}`,
    Init: true,
    StopGracePeriod: job.graceSeconds * 1e9,
    CapabilityDrop: ['ALL'],
    CapabilityAdd: job.capAdd,
    Mounts: job.caches.map(({ name, containerDir, labels, copy }) => ({
      Type: 'volume',
      Source: name,
      Target: containerDir,
      VolumeOptions: { NoCopy: copy !== true, Labels: labels ?? {} },
    })),
    Secrets: job.files.map(({ id, name, path }) => ({
      SecretID: id,
      SecretName: name,
      File: { Name: path, UID: String(uid), GID: String(gid), Mode: 0o400 },
    })),
  };
}

function formatLimits({ memory, cpus, pids }: JobSpec['limits']): object {
  return {
    ...(memory !== undefined && { MemoryBytes: memory }),
    ...(cpus !== undefined && { NanoCPUs: Math.round(cpus * 1e9) }),
    ...(pids !== undefined && { Pids: pids }),
  };
}
