import { readField, readList, readText, readTextMap } from './json.ts';
import type { Wire } from './wire.ts';

export interface EngineVolume {
  name: string;
  labels: Record<string, string>;
  /** RFC 3339, where the engine says. */
  created?: string;
}

/** GET /volumes: those that carry the label (`key` or `key=value`). */
export async function listVolumes(wire: Wire, label: string): Promise<EngineVolume[]> {
  const query = { filters: JSON.stringify({ label: [label] }) };
  const { json } = await wire.call({ what: 'list volumes', method: 'GET', path: '/volumes', query });
  return readList(json, 'Volumes').map((each) => {
    const created = readText(each, 'CreatedAt');
    return {
      name: readText(each, 'Name') ?? '',
      labels: readField(each, 'Labels') === null ? {} : readTextMap(each, 'Labels'),
      ...(created !== undefined && { created }),
    };
  });
}

/** DELETE /volumes/{name}; a missing one is fine, one in use is `engine-failed`. */
export async function removeVolume(wire: Wire, name: string): Promise<void> {
  await wire.call(
    { what: `remove the volume ${name}`, method: 'DELETE', path: `/volumes/${encodeURIComponent(name)}` },
    [204, 404],
  );
}
