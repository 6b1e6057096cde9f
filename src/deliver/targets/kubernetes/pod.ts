import { referByDigest, refuseDelivery } from '../../refuse.ts';
import type { Service } from '../../service.ts';
import type { DeliveryInput } from '../../target.ts';
import type { KubernetesOptions } from './options.ts';
import { formatCpu, formatMemory } from './quantities.ts';

/** Describes the pod: a spec of core/v1. */
export function describePod(input: DeliveryInput<KubernetesOptions>): object {
  const { image, service, options } = input;
  const user = parseUser(image.config.User);
  const { volumes, volumeMounts } = describeVolumes(input);
  const hasClaim = service.volumes.some(({ from }) => !from.startsWith('/'));
  return {
    // Variables for each Service of the namespace would meet those of the application: SERVER_PORT=tcp://10.0.0.1:80.
    enableServiceLinks: false,
    automountServiceAccountToken: false,
    ...(options.pullSecret !== undefined && { imagePullSecrets: [{ name: options.pullSecret }] }),
    ...(user !== undefined && {
      securityContext: {
        runAsNonRoot: true,
        ...user,
        ...(hasClaim && user.runAsGroup !== undefined && { fsGroup: user.runAsGroup }),
        seccompProfile: { type: 'RuntimeDefault' },
      },
    }),
    containers: [
      {
        name: service.name,
        image: referByDigest(image),
        ...describeProcess(service),
        ...describeProbes(input),
        ...describeResources(service),
        ...describeSecurity(user !== undefined, options),
        ...(volumeMounts.length > 0 && { volumeMounts }),
      },
    ],
    ...(volumes.length > 0 && { volumes }),
  };
}

function describeProcess({ args, env, port }: Service): object {
  return {
    ...(args !== undefined && { args: args.map(escapeDollar) }),
    ...(Object.keys(env).length > 0 && {
      env: Object.entries(env).map(([name, value]) => ({ name, value: escapeDollar(value) })),
    }),
    ...(port !== undefined && { ports: [{ name: 'http', containerPort: port }] }),
  };
}

/** Kubernetes replaces `$(NAME)` in arguments and values; `$$` is one dollar. */
function escapeDollar(text: string): string {
  return text.replaceAll('$', '$$$$');
}

/** Describes the probes. The one of the start holds the others back: a slow start is no reason to start again. */
function describeProbes({ image, service: { health, port }, target }: DeliveryInput<KubernetesOptions>): object {
  if (health === undefined) return {};
  if (port === undefined)
    throw refuseDelivery(image, target, `Kubernetes asks ${health} at a port, and nothing tells which`, [
      'write deliver.service.port in gbuild.yml',
    ]);
  const httpGet = { path: health, port: 'http' };
  return {
    startupProbe: { httpGet, periodSeconds: 5, failureThreshold: 60 },
    readinessProbe: { httpGet, periodSeconds: 5 },
    livenessProbe: { httpGet, periodSeconds: 10 },
  };
}

/** Asks for what it limits: the pod gets no less, and is not the first to go when a node is short of memory. */
function describeResources({ cpu, memory }: Service): object {
  if (cpu === undefined && memory === undefined) return {};
  const amounts = {
    ...(cpu !== undefined && { cpu: formatCpu(cpu) }),
    ...(memory !== undefined && { memory: formatMemory(memory) }),
  };
  return { resources: { requests: amounts, limits: amounts } };
}

/** An image that starts as root may need what root may do. */
function describeSecurity(isNonRoot: boolean, { readOnly }: KubernetesOptions): object {
  const securityContext = {
    ...(isNonRoot && { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } }),
    ...(readOnly !== undefined && { readOnlyRootFilesystem: readOnly }),
  };
  return Object.keys(securityContext).length === 0 ? {} : { securityContext };
}

interface NumericUser {
  runAsUser: number;
  runAsGroup?: number;
}

/** Parses `65532:65532`. Undefined for root, and for a name: a node cannot tell that it is not root. */
function parseUser(user = ''): NumericUser | undefined {
  const [, uid, gid] = /^(\d+)(?::(\d+))?$/.exec(user) ?? [];
  if (uid === undefined || Number(uid) === 0) return undefined;
  return { runAsUser: Number(uid), ...(gid !== undefined && { runAsGroup: Number(gid) }) };
}

interface PodVolumes {
  volumes: object[];
  volumeMounts: object[];
}

/** Describes the volumes. A named one is a claim that the cluster has: size and class are not the release's to say. */
function describeVolumes(input: DeliveryInput<KubernetesOptions>): PodVolumes {
  const { image, service, target } = input;
  const sources = [...new Set(service.volumes.map(({ from }) => from))];
  const noClaim = sources.find((from) => !from.startsWith('/') && !/^[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?$/.test(from));
  if (noClaim !== undefined)
    throw refuseDelivery(image, target, `a PersistentVolumeClaim cannot have the name ${noClaim}`, [
      'write lower-case letters, digits, - and . in deliver.service.volumes',
    ]);
  const nameOf = (from: string) => `volume-${sources.indexOf(from) + 1}`;
  const volumes: object[] = sources.map((from) => ({ name: nameOf(from), ...describeSource(from) }));
  const volumeMounts: object[] = service.volumes.map(({ from, to, readOnly }) => ({
    name: nameOf(from),
    mountPath: to,
    ...(readOnly && { readOnly }),
  }));
  for (const [index, to] of listWritable(input).entries()) {
    volumes.push({ name: `writable-${index + 1}`, emptyDir: {} });
    volumeMounts.push({ name: `writable-${index + 1}`, mountPath: to });
  }
  return { volumes, volumeMounts };
}

/** Lists the folders that stay writable on a read-only root, as in the smoke test: /tmp, and the image's own volumes. */
function listWritable({ image, service, options }: DeliveryInput<KubernetesOptions>): string[] {
  if (options.readOnly !== true) return [];
  const folders = ['/tmp', ...Object.keys(image.config.Volumes ?? {}).sort()];
  const mounted = service.volumes.map(({ to }) => to);
  return [...new Set(folders)].filter((folder) => !mounted.includes(folder));
}

function describeSource(from: string): object {
  return from.startsWith('/')
    ? { hostPath: { path: from, type: 'Directory' } }
    : { persistentVolumeClaim: { claimName: from } };
}
