import type { Endpoint } from '../../../src/engine/endpoint/endpoint.ts';

/** Returns the endpoint of a DOCKER_HOST without TLS. */
export function endpointOf(url: string): Endpoint {
  const common = { url, source: 'DOCKER_HOST', reason: 'the test says so', warnings: [] } as const;
  if (url.startsWith('unix://')) return { ...common, socketPath: url.slice('unix://'.length), warnings: [] };
  const { hostname, port } = new URL(url);
  return { ...common, host: hostname, port: Number(port), warnings: [] };
}
