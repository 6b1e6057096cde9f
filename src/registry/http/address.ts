/** Name of a registry in references, and its address. */
export interface RegistryAddress {
  /** Name for `docker login` and errors: `docker.io`, `127.0.0.1:5000`. */
  name: string;
  /** Host and port of its API. */
  host: string;
  /** Key of its entry in a docker config. */
  credentialKey: string;
  isHub: boolean;
  /** Whether it is on this machine, where plain HTTP is accepted. */
  isLoopback: boolean;
}

const hubNames = new Set(['docker.io', 'index.docker.io', 'registry-1.docker.io']);

/**
 * Returns the address of `HOST` or `HOST:PORT`. Docker Hub has several names; its API and its config entry use
 * different ones.
 */
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

/** Returns the path: Docker Hub keeps its own images below `library`. */
export function pathAt(address: RegistryAddress, path: string): string {
  return address.isHub && !path.includes('/') ? `library/${path}` : path;
}

/** Whether the host is in 127.0.0.0/8, ::1 or localhost. */
export function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '::1' || /^127(\.\d{1,3}){3}$/.test(hostname);
}

/** Returns the name or number without port and brackets. */
export function hostnameOf(host: string): string {
  return /^\[([^\]]+)\]/.exec(host)?.[1] ?? host.replace(/:\d+$/, '');
}
