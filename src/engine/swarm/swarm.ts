import { readField, readText, readTextMap } from '../answer/json.ts';
import type { EngineClient } from '../client/client.ts';
import { notUnderstood, readAnswerList } from '../client/failures.ts';
import type { EngineRequest } from '../client/request.ts';
import { type LogInput, readServiceLogs } from '../service/service-logs.ts';
import { formatJob, type JobSpec } from './job.ts';
import { removeJob } from './remove-job.ts';
import { parseNode, parseTask, type SwarmNode, type SwarmTask } from './state.ts';

export type { LogInput } from '../service/service-logs.ts';
export type { JobFile, JobSpec } from './job.ts';
export type { SwarmNode, SwarmTask } from './state.ts';

/** Object of gbuild in the cluster. */
export interface SwarmThing {
  kind: 'services' | 'secrets';
  id: string;
  name: string;
  labels: Record<string, string>;
}

/** Cluster that an engine manages: everything that gbuild creates there has the labels of the run. */
export class Swarm {
  readonly #client: EngineClient;
  readonly #labels: Record<string, string>;

  constructor(client: EngineClient, labels: Record<string, string>) {
    this.#client = client;
    this.#labels = labels;
  }

  async listNodes(): Promise<SwarmNode[]> {
    const { json } = await this.#client.call({ what: 'list the nodes of its swarm', method: 'GET', path: '/nodes' });
    return readAnswerList(this.#client, json, 'list the nodes of its swarm').map(parseNode);
  }

  async readNode(id: string): Promise<SwarmNode> {
    const { json } = await this.#client.call({ what: 'describe a node', method: 'GET', path: `/nodes/${id}` });
    return parseNode(json);
  }

  /** Creates a secret for jobs. Returns its id. Throws `engine-failed` for more than 500 KB. */
  async createSecret(name: string, content: Buffer): Promise<string> {
    const json = { Name: name, Labels: this.#labels, Data: content.toString('base64') };
    return this.#create({ what: `store the secret ${name}`, method: 'POST', path: '/secrets/create', json });
  }

  removeSecret(id: string): Promise<void> {
    return removeThing(this.#client, { kind: 'secrets', id, name: id });
  }

  /**
   * Starts a job. Returns the service's id. `registryAuth` authorizes the nodes at the image's registry (see
   * formatRegistryAuth).
   */
  async startJob(job: JobSpec, registryAuth: string | undefined): Promise<string> {
    const json = formatJob({ ...job, labels: { ...job.labels, ...this.#labels } });
    const headers = registryAuth === undefined ? {} : { 'X-Registry-Auth': registryAuth };
    const request = {
      what: `start the job ${job.name}`,
      method: 'POST',
      path: '/services/create',
      json,
      headers,
    } as const;
    return this.#create(request);
  }

  async #create(request: EngineRequest): Promise<string> {
    const id = readText((await this.#client.call(request)).json, 'ID');
    if (!id) throw notUnderstood(this.#client.endpoint, request.what);
    return id;
  }

  /** Finds the task of a job; undefined until the cluster has processed the job. */
  async findTask(service: string): Promise<SwarmTask | undefined> {
    const query = { filters: JSON.stringify({ service: [service] }) };
    const { json } = await this.#client.call({ what: 'inspect a job', method: 'GET', path: '/tasks', query });
    const [first] = readAnswerList(this.#client, json, 'inspect a job');
    return first === undefined ? undefined : parseTask(first);
  }

  readOutput(input: LogInput): Promise<void> {
    return readServiceLogs(this.#client, input);
  }

  /** See removeJob. */
  removeJob(service: string): Promise<void> {
    return removeJob(this.#client, service);
  }
}

/** Lists gbuild's objects in the cluster by their label. */
export async function listThings(client: EngineClient, label: string): Promise<SwarmThing[]> {
  const query = { filters: JSON.stringify({ label: [label] }) };
  const list = async (kind: SwarmThing['kind']) => {
    const { json } = await client.call({ what: `list ${kind}`, method: 'GET', path: `/${kind}`, query });
    return readAnswerList(client, json, `list ${kind}`).map((each) => parseThing(kind, each));
  };
  // Order in which they can be removed.
  return [...(await list('services')), ...(await list('secrets'))];
}

function parseThing(kind: SwarmThing['kind'], json: unknown): SwarmThing {
  const spec = readField(json, 'Spec');
  return {
    kind,
    id: readText(json, 'ID') ?? '',
    name: readText(spec, 'Name') ?? '',
    labels: readTextMap(spec, 'Labels'),
  };
}

export async function removeThing(client: EngineClient, { kind, id, name }: Omit<SwarmThing, 'labels'>): Promise<void> {
  if (kind === 'services') return removeJob(client, id);
  await client.call({ what: `remove ${name} of its swarm`, method: 'DELETE', path: `/secrets/${id}` }, [204, 404]);
}
