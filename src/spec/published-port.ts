import type { PublishedPort } from './types.ts';

/** Parses `3000`, `8080:3000` (the engine's port first, as in docker), `5353/udp`; undefined for any other text. */
export function parsePublished(text: string): PublishedPort | undefined {
  const match = /^(?:(\d{1,5}):)?(\d{1,5})(?:\/(tcp|udp))?$/.exec(text);
  if (match === null) return undefined;
  const [enginePort, port] = [match[1], match[2]].map((number) => (number === undefined ? undefined : Number(number)));
  if (!isPort(port) || (enginePort !== undefined && !isPort(enginePort))) return undefined;
  const protocol = match[3] === 'udp' ? 'udp' : 'tcp';
  return { port, protocol, ...(enginePort !== undefined && { enginePort }) };
}

/** Formats a port as the spec writes it. */
export function formatPublished({ port, protocol, enginePort }: PublishedPort): string {
  const before = enginePort === undefined ? '' : `${enginePort}:`;
  return `${before}${port}${protocol === 'udp' ? '/udp' : ''}`;
}

function isPort(number: number | undefined): number is number {
  return number !== undefined && number >= 1 && number <= 65_535;
}
