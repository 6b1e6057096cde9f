import { readTar } from '../../oci/tar/untar.ts';
import type { Wire } from '../client/client.ts';
import { createContainer, removeContainer } from './container.ts';
import { bareContainer } from './spec.ts';

/**
 * Reads small files of an image, through a container that is never started: GET /containers/{id}/archive. A path that is
 * not there, or is no file, is left out.
 */
export async function readImageFiles(
  wire: Wire,
  reference: string,
  paths: string[],
  labels: Record<string, string>,
): Promise<Map<string, Buffer>> {
  const found = new Map<string, Buffer>();
  const id = await createContainer(wire, { ...bareContainer(reference, ['true']), labels });
  try {
    for (const path of paths) {
      const content = await readOne(wire, id, path);
      if (content !== undefined) found.set(path, content);
    }
  } finally {
    await removeContainer(wire, id, { lost: false });
  }
  return found;
}

async function readOne(wire: Wire, id: string, path: string): Promise<Buffer | undefined> {
  const what = `read ${path} of an image`;
  const request = {
    what,
    method: 'GET',
    path: `/containers/${id}/archive`,
    query: { path },
  } as const;
  const answer = await wire.send(request);
  if (answer.statusCode === 404) {
    answer.resume();
    return undefined;
  }
  if (answer.statusCode !== 200) await wire.refuse(answer, what);
  for await (const { header, content } of readTar(wire.readChunks(answer, what, wire.pace), `${path} of the image`)) {
    if (header.type !== 'file') continue;
    const chunks: Uint8Array[] = [];
    for await (const chunk of content) chunks.push(chunk);
    return Buffer.concat(chunks);
  }
  return undefined;
}
