import { askEngine } from './engine-http.ts';

/** What one owner, one run or one repository has on an engine, by gbuild's labels and names. */
export interface Left {
  containers: string[];
  stagingImages: string[];
  volumes: string[];
}

/**
 * What gbuild left on an engine: containers and run volumes with a label (`io.gbuild.repository=name`), and staging images
 * whose name says that one of these processes made them. Other tests use the engine at the same time: always say whose.
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

/** Removes a volume that a test had made, if it is there. */
export async function removeVolume(host: string, name: string): Promise<void> {
  await askEngine(host, 'DELETE', `/volumes/${name}`);
}
