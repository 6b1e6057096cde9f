import { Readable } from 'node:stream';
import { packLayer } from '../../../src/oci/layer/layer.ts';
import { anyProgram, isProgram } from '../images/any-program.ts';
import { askEngine } from './engine-http.ts';

/** Image as the engine describes it, read without gbuild's client. */
export interface InspectedImage {
  Id: string;
  RepoTags: string[];
  Created: string;
  Architecture: string;
  Os: string;
  Config: {
    User: string;
    Env: string[] | null;
    Entrypoint: string[] | null;
    Cmd: string[] | null;
    WorkingDir: string;
    Labels: Record<string, string> | null;
    ExposedPorts?: Record<string, object>;
  };
  RootFS: { Layers: string[] };
}

export async function inspectImage(host: string, reference: string): Promise<InspectedImage | undefined> {
  const { status, text } = await askEngine(host, 'GET', `/images/${reference}/json`);
  return status === 200 ? (JSON.parse(text) as InspectedImage) : undefined;
}

/**
 * Makes an image of a few files and a shell that cannot run, as a base for images that are not started. Its id differs
 * each time.
 */
export async function importImage(host: string, reference: string, files: Record<string, string>): Promise<void> {
  const entries = Object.entries({ 'bin/sh': anyProgram, ...files }).map(([path, text]) => {
    const bytes = Buffer.from(text);
    return { path, type: 'file' as const, executable: isProgram(text), content: { bytes, size: bytes.length } };
  });
  const [repo, tag] = reference.split(':');
  const body = Readable.from(packLayer(entries, { createdBy: '' }).chunks());
  const { status, text } = await askEngine(host, 'POST', `/images/create?fromSrc=-&repo=${repo}&tag=${tag}`, { body });
  if (status !== 200 || text.includes('"error"')) throw new Error(`${host} did not import ${reference}: ${text}`);
}

/** Removes every tag of a repository, and the images without another name. */
export async function removeRepository(host: string, repository: string): Promise<void> {
  for (const tag of await listTags(host, repository)) await removeTag(host, tag);
}

/** Removes every image of a repository that was pulled by its digest. */
export async function removePulled(host: string, repository: string): Promise<void> {
  const filters = encodeURIComponent(JSON.stringify({ reference: [repository] }));
  const { text } = await askEngine(host, 'GET', `/images/json?filters=${filters}`);
  const images = JSON.parse(text) as { RepoDigests: string[] | null }[];
  const pulled = images.flatMap(({ RepoDigests }) => RepoDigests ?? []);
  for (const reference of pulled.filter((each) => each.startsWith(`${repository}@`))) await removeTag(host, reference);
}

export async function removeTag(host: string, reference: string): Promise<void> {
  await askEngine(host, 'DELETE', `/images/${reference}?force=1`);
}

/** Lists `name:tag` of every image of a repository, sorted. */
export async function listTags(host: string, repository: string): Promise<string[]> {
  const filters = encodeURIComponent(JSON.stringify({ reference: [repository] }));
  const images = JSON.parse((await askEngine(host, 'GET', `/images/json?filters=${filters}`)).text) as {
    RepoTags: string[] | null;
  }[];
  return images.flatMap((image) => image.RepoTags ?? []).sort();
}

export async function tagImage(host: string, source: string, target: string): Promise<void> {
  const [repo, tag] = target.split(':');
  const { status, text } = await askEngine(host, 'POST', `/images/${source}/tag?repo=${repo}&tag=${tag}`);
  if (status !== 201) throw new Error(`${host} did not tag ${source}: ${text}`);
}

/** Starts a container of an image like a deployment: without a command, a user or an environment. */
export async function startContainer(host: string, image: string, port: string): Promise<{ id: string; port: number }> {
  const created = await askEngine(host, 'POST', '/containers/create', {
    json: {
      Image: image,
      Labels: { 'io.gbuild.test': 'image' },
      HostConfig: { PortBindings: { [port]: [{ HostIp: '127.0.0.1', HostPort: '0' }] } },
    },
  });
  if (created.status !== 201) throw new Error(`no container of ${image}: ${created.text}`);
  const { Id: id } = JSON.parse(created.text) as { Id: string };
  const started = await askEngine(host, 'POST', `/containers/${id}/start`);
  const { text } = await askEngine(host, 'GET', `/containers/${id}/json`);
  const { NetworkSettings } = JSON.parse(text) as {
    NetworkSettings: { Ports: Record<string, { HostPort: string }[] | null> };
  };
  if (started.status !== 204) throw new Error(`${image} does not start: ${started.text}`);
  return { id, port: Number(NetworkSettings.Ports[port]?.[0]?.HostPort) };
}

export async function removeContainer(host: string, id: string): Promise<void> {
  await askEngine(host, 'DELETE', `/containers/${id}?force=1&v=1`);
}

/** Makes an image from the changes of a shell script in another one, like `docker commit`. */
export async function commitImage(host: string, from: string, reference: string, script: string): Promise<void> {
  const id = await runToEnd(host, { Image: from, Entrypoint: ['sh', '-ec', script], NetworkDisabled: true });
  const [repo, tag] = reference.split(':');
  // The config of the image, not of the container.
  const { Config } = JSON.parse((await askEngine(host, 'GET', `/images/${from}/json`)).text) as { Config: object };
  const { status, text } = await askEngine(host, 'POST', `/commit?container=${id}&repo=${repo}&tag=${tag}`, {
    json: Config,
  });
  await removeContainer(host, id);
  if (status !== 201) throw new Error(`${host} did not commit ${reference}: ${text}`);
}

/** Returns the output of a container of the image, started like a deployment. */
export async function runImage(host: string, image: string): Promise<string> {
  const id = await runToEnd(host, { Image: image, Tty: true });
  const { text } = await askEngine(host, 'GET', `/containers/${id}/logs?stdout=1&stderr=1`);
  await removeContainer(host, id);
  return text.replaceAll('\r\n', '\n');
}

/** Returns the end of the image's container that is asked to stop once it has written a text. */
export async function stopImage(
  host: string,
  image: string,
  text: string,
): Promise<{ exitCode: number; output: string }> {
  const id = await startImage(host, { Image: image, Tty: true });
  const readLog = async () => (await askEngine(host, 'GET', `/containers/${id}/logs?stdout=1&stderr=1`)).text;
  try {
    while (!(await readLog()).includes(text)) {
      const { Running } = (JSON.parse((await askEngine(host, 'GET', `/containers/${id}/json`)).text) as Inspected)
        .State;
      if (!Running) throw new Error(`the container ended before it wrote ${text}: ${await readLog()}`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    await askEngine(host, 'POST', `/containers/${id}/stop?t=60`);
    const { ExitCode } = (JSON.parse((await askEngine(host, 'GET', `/containers/${id}/json`)).text) as Inspected).State;
    return { exitCode: ExitCode, output: (await readLog()).replaceAll('\r\n', '\n') };
  } finally {
    await removeContainer(host, id);
  }
}

interface Inspected {
  State: { Running: boolean; ExitCode: number };
}

async function startImage(host: string, container: object): Promise<string> {
  const json = { Labels: { 'io.gbuild.test': 'image' }, ...container };
  const created = await askEngine(host, 'POST', '/containers/create', { json });
  if (created.status !== 201) throw new Error(`no container: ${created.text}`);
  const { Id: id } = JSON.parse(created.text) as { Id: string };
  const started = await askEngine(host, 'POST', `/containers/${id}/start`);
  if (started.status !== 204) throw new Error(`the container does not start: ${started.text}`);
  return id;
}

async function runToEnd(host: string, container: object): Promise<string> {
  const id = await startImage(host, container);
  const { StatusCode } = JSON.parse((await askEngine(host, 'POST', `/containers/${id}/wait`)).text) as {
    StatusCode: number;
  };
  if (StatusCode !== 0) throw new Error(`the container ended with ${StatusCode}`);
  return id;
}
