import { readTar } from '../../oci/tar/untar.ts';
import type { EngineClient } from '../client/client.ts';
import { createContainer, removeContainer } from './container.ts';
import { bareContainer } from './spec.ts';

/**
 * Reads small files of an image through a container that never starts (GET /containers/{id}/archive). Missing paths and
 * folders are left out.
 */
export async function readImageFiles(
  client: EngineClient,
  reference: string,
  paths: string[],
  labels: Record<string, string>,
): Promise<Map<string, Buffer>> {
  const found = new Map<string, Buffer>();
  const id = await createContainer(client, { ...bareContainer(reference, ['true']), labels });
  try {
    for (const path of paths) {
      const content = await readOne(client, id, path);
      if (content !== undefined) found.set(path, content);
    }
  } finally {
    await removeContainer(client, id, { lost: false });
  }
  return found;
}

async function readOne(client: EngineClient, id: string, path: string): Promise<Buffer | undefined> {
  const what = `read ${path} of an image`;
  const request = {
    what,
    method: 'GET',
    path: `/containers/${id}/archive`,
    query: { path },
  } as const;
  const answer = await client.send(request);
  if (answer.statusCode === 404) {
    answer.resume();
    return undefined;
  }
  if (answer.statusCode !== 200) await client.refuse(answer, what);
  for await (const { header, content } of readTar(
    client.readChunks(answer, what, client.pace),
    `${path} of the image`,
  )) {
    if (header.type !== 'file') continue;
    const chunks: Uint8Array[] = [];
    for await (const chunk of content) chunks.push(chunk);
    return Buffer.concat(chunks);
  }
  return undefined;
}
