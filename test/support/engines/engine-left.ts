import { askEngine } from './engine-http.ts';

/** Objects of one owner, one run or one repository on an engine, by gbuild's labels and names. */
export interface Left {
  containers: string[];
  stagingImages: string[];
  volumes: string[];
}

/**
 * Lists what gbuild left on an engine: containers and run volumes with a label (`io.gbuild.repository=name`), and
 * staging images of these processes by their names. Other tests use the engine at the same time: always name the owner.
 */
export async function listLeft(host: string, label: string, pids: number[] = []): Promise<Left> {
  const query = (filters: object) => encodeURIComponent(JSON.stringify(filters));
  const get = async (path: string) => JSON.parse((await askEngine(host, 'GET', path)).text) as unknown;
  const containers = (await get(`/containers/json?all=1&filters=${query({ label: [label] })}`)) as { Id: string }[];
  const images = (await get(`/images/json?filters=${query({ reference: ['gbuild-staging:*'] })}`)) as {
    RepoTags: string[] | null;
  }[];
  const volumes = (await get(`/volumes?filters=${query({ label: [label] })}`)) as {
    Volumes: { Name: string }[] | null;
  };
  const tags = images.flatMap((image) => image.RepoTags ?? []);
  return {
    containers: containers.map(({ Id }) => Id),
    stagingImages: tags.filter((tag) => pids.some((pid) => tag.includes(`_${pid}_`))),
    volumes: (volumes.Volumes ?? []).map(({ Name }) => Name),
  };
}

export const nothingLeft: Left = { containers: [], stagingImages: [], volumes: [] };

/** Removes a volume of a test, if it exists. */
export async function removeVolume(host: string, name: string): Promise<void> {
  await askEngine(host, 'DELETE', `/volumes/${name}`);
}
