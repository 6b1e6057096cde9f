import type { EngineClient } from '../client/client.ts';
import { createContainer, removeContainer } from './container.ts';
import { EngineBlindError, showsFolder } from './probe.ts';
import { bareContainer } from './spec.ts';

const containerDir = '/workspace';

/** Tests, with a container that never starts, whether the engine sees the caller's own folder at the same path. */
export async function seesFolder(
  client: EngineClient,
  image: string,
  hostDir: string,
  labels: Record<string, string>,
): Promise<boolean> {
  const bare = bareContainer(image, ['true']);
  let id: string;
  try {
    id = await createContainer(client, { ...bare, labels, mounts: [{ type: 'bind', hostDir, containerDir }] });
  } catch (error) {
    if (error instanceof EngineBlindError) return false;
    throw error;
  }
  try {
    return await showsFolder(client, id, { hostDir, containerDir });
  } finally {
    await removeContainer(client, id, { lost: false });
  }
}
