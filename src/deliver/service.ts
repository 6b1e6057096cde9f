import type { RunConfig } from '../oci/spec.ts';
import type { DeliverServiceSpec, DeliverVolume } from '../spec/types.ts';

/** Service as deployers must know it: what gbuild.yml says, completed by the released image. */
export interface Service {
  /** DNS label. */
  name: string;
  /** TCP port that it listens on; undefined where neither file nor image tells exactly one. */
  port?: number;
  /** Path of a URL that answers 200 while it is healthy. */
  health?: string;
  env: Record<string, string>;
  /** Number of processors, also parts. */
  cpu?: number;
  /** Memory in bytes. */
  memory?: number;
  /** Arguments in place of the image's own command. */
  args?: string[];
  volumes: DeliverVolume[];
}

/** Describes the service of a released image. `said` is undefined outside of the image's repository. Pure. */
export function describeService(name: string, image: RunConfig, said: DeliverServiceSpec | undefined): Service {
  const port = said?.port ?? onlyTcpPort(image);
  const { env, volumes, name: label = lastPartOf(name), ...rest } = said ?? { env: {}, volumes: [] };
  return { ...rest, name: label, env: { ...env }, volumes, ...(port !== undefined && { port }) };
}

/** Whether it writes to a volume that another version of it would write to as well. */
export function writesVolumes({ volumes }: Service): boolean {
  return volumes.some(({ readOnly }) => !readOnly);
}

function onlyTcpPort({ ExposedPorts: ports }: RunConfig): number | undefined {
  const tcp = Object.keys(ports ?? {}).filter((port) => /^\d+(\/tcp)?$/.test(port));
  return tcp.length === 1 ? Number.parseInt(tcp[0]!, 10) : undefined;
}

/** Returns `hello-api` for `acme/hello.api`: a label of DNS has no dots and no underscores. */
function lastPartOf(name: string): string {
  const last = name.slice(name.lastIndexOf('/') + 1).replace(/[^a-z0-9]+/g, '-');
  const label = /^[a-z]/.test(last) ? last : `app-${last}`;
  return label.slice(0, 63).replace(/-+$/, '');
}
