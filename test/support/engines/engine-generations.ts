import { engineImageOf, type Suite } from '../images/base-image.ts';

/** Settings to run one generation of container engine inside a container. */
export interface Generation {
  image: string;
  /** Shell command that becomes the engine, with its API on port 2375. */
  command: string;
  /** Folder of its images, on a volume, because overlays cannot be nested. */
  dataDir: string;
  /** Part of `HostConfig` that only this generation needs. */
  hostConfig?: object;
}

const writable = 'mount -o remount,rw /proc/sys';
// Without --tls=false the engine waits for 15 s before it opens a listener without TLS.
const dockerd = 'exec dockerd -H tcp://0.0.0.0:2375 -H unix:///var/run/docker.sock --tls=false';
const containerdStore = `mkdir -p /etc/docker; echo '{"features":{"containerd-snapshotter":true}}' >/etc/docker/daemon.json`;

function docker(suite: Suite, before: string[] = []): Generation {
  const command = ['rm -f /var/run/docker.pid', writable, ...before, dockerd].join('; ');
  return { image: engineImageOf(suite), command, dataDir: '/var/lib/docker' };
}

/** Settings of Debian's podman for a machine in a container: no cgroup manager, and limits that cannot be raised. */
const containersConf = `[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
[network]
network_backend = "netavark"
`;
const service = 'podman system service --time=0 tcp://0.0.0.0:2375';
/** Makes podman usable in a container. */
export const configurePodman = `printf '%s' '${containersConf}' >/etc/containers/containers.conf`;

function podman(suite: Suite): Generation {
  const command = [writable, configurePodman, `exec ${service}`].join('; ');
  return { image: engineImageOf(suite), command, dataDir: '/var/lib/containers' };
}

/** Describes podman as a plain user of the machine. */
function rootlessPodman(suite: Suite): Generation {
  const home = '/home/builder';
  const prepare = [
    writable,
    configurePodman,
    `useradd --uid 1000 --home-dir ${home} builder`,
    'printf builder:100000:65536 | tee /etc/subuid >/etc/subgid',
    `chown builder:builder ${home}`,
    'install -d -o builder /run/user/1000',
    'chmod 666 /dev/fuse /dev/net/tun',
    `exec setpriv --reuid 1000 --regid 1000 --clear-groups env HOME=${home} XDG_RUNTIME_DIR=/run/user/1000 ${service}`,
  ];
  return {
    image: engineImageOf(suite),
    command: prepare.join('; '),
    dataDir: home,
    hostConfig: {
      MaskedPaths: [],
      ReadonlyPaths: [],
      Devices: ['/dev/fuse', '/dev/net/tun'].map((path) => ({
        PathOnHost: path,
        PathInContainer: path,
        CgroupPermissions: 'rwm',
      })),
    },
  };
}

/** Engines that gbuild is tested with, built from the Debian suites. */
export const generations = {
  'docker 20.10': docker('bookworm'),
  'docker 26': docker('trixie'),
  'docker 26, containerd store': docker('trixie', [containerdStore]),
  'docker 28': docker('forky'),
  'docker 28, containerd store': docker('forky', [containerdStore]),
  'podman 5.4': podman('trixie'),
  'podman 5.8': podman('forky'),
  'podman 5.4, rootless': rootlessPodman('trixie'),
} satisfies Record<string, Generation>;

export type GenerationName = keyof typeof generations;
