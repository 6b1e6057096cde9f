import { readField, readList, readNumber, readText, readTextMap } from '../answer/json.ts';
import type { EngineClient } from '../client/client.ts';
import { readAnswerList } from '../client/failures.ts';

export interface EngineVolume {
  name: string;
  labels: Record<string, string>;
  /** Time in RFC 3339, where the engine reports it. */
  created?: string;
}

/** Lists volumes with the label, `key` or `key=value` (GET /volumes). */
export async function listVolumes(client: EngineClient, label: string): Promise<EngineVolume[]> {
  const query = { filters: JSON.stringify({ label: [label] }) };
  const { json } = await client.call({ what: 'list volumes', method: 'GET', path: '/volumes', query });
  return readAnswerList(client, readField(json, 'Volumes'), 'list volumes').map((each) => {
    const created = readText(each, 'CreatedAt');
    return {
      name: readText(each, 'Name') ?? '',
      labels: readField(each, 'Labels') === null ? {} : readTextMap(each, 'Labels'),
      ...(created !== undefined && { created }),
    };
  });
}

/** Creates a volume with these labels (POST /volumes/create); an existing one stays unchanged. */
export async function createVolume(client: EngineClient, name: string, labels: Record<string, string>): Promise<void> {
  const json = { Name: name, Labels: labels };
  await client.call({ what: `make the volume ${name}`, method: 'POST', path: '/volumes/create', json });
}

/** Removes a volume (DELETE /volumes/{name}); a missing one is fine, one in use is `engine-failed`. */
export async function removeVolume(client: EngineClient, name: string): Promise<void> {
  await client.call(
    { what: `remove the volume ${name}`, method: 'DELETE', path: `/volumes/${encodeURIComponent(name)}` },
    [204, 404],
  );
}

/**
 * Reads the size in bytes of each volume by name, as far as the engine reports it (GET /system/df). The engine counts
 * files, which may take seconds.
 */
export async function readVolumeSizes(client: EngineClient, signal?: AbortSignal): Promise<Map<string, number>> {
  const { json } = await client.call({
    what: 'measure volumes',
    method: 'GET',
    path: '/system/df',
    // Engines before API 1.42 ignore the type and measure everything.
    query: { type: 'volume' },
    within: 5 * client.requestTimeout,
    ...(signal !== undefined && { signal }),
  });
  const sizes = readList(json, 'Volumes').map((each) => {
    return [readText(each, 'Name') ?? '', readNumber(readField(each, 'UsageData'), 'Size') ?? -1] as const;
  });
  return new Map(sizes.filter(([, size]) => size >= 0));
}
