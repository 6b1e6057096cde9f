/** A registry as references name it, and where it answers. */
export interface RegistryAddress {
  /** As `docker login` and an error name it: `docker.io`, `127.0.0.1:5000`. */
  name: string;
  /** Host and port of its API. */
  host: string;
  /** Its entry in a docker config. */
  credentialKey: string;
  isHub: boolean;
  /** On this very machine: plain HTTP is taken there. */
  isLoopback: boolean;
}

const hubNames = new Set(['docker.io', 'index.docker.io', 'registry-1.docker.io']);

/** `HOST` or `HOST:PORT`; Docker Hub goes by several names, none of which is its API's and its entry's at once. */
export function addressOf(registry: string): RegistryAddress {
  const isHub = hubNames.has(registry);
  return {
    name: isHub ? 'docker.io' : registry,
    host: isHub ? 'registry-1.docker.io' : registry,
    credentialKey: isHub ? 'https://index.docker.io/v1/' : registry,
    isHub,
    isLoopback: isLoopback(hostnameOf(registry)),
  };
}

/** Docker Hub keeps its own images below `library`. */
export function pathAt(address: RegistryAddress, path: string): string {
  return address.isHub && !path.includes('/') ? `library/${path}` : path;
}

/** 127.0.0.0/8, ::1 and localhost. */
export function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '::1' || /^127(\.\d{1,3}){3}$/.test(hostname);
}

/** The name or number without port and brackets. */
export function hostnameOf(host: string): string {
  return /^\[([^\]]+)\]/.exec(host)?.[1] ?? host.replace(/:\d+$/, '');
}
