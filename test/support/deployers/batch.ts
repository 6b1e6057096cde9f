import { setTimeout as sleep } from 'node:timers/promises';
import { askEngine } from '../engines/engine-http.ts';
import type { Moto } from './moto.ts';

/** Command of a process definition, as Sundial submits it to AWS Batch. */
export interface BatchCommand {
  image: string;
  tag: string;
  command: string[];
  memory: number;
  environment_variables?: { variable_name: string; value: string }[];
}

/** Container of a job: the image id that it runs, and what it was started with. */
export interface JobContainer {
  Id: string;
  Image: string;
  Config: { Cmd: string[]; Env: string[] };
}

/** AWS Batch, as moto has it: each job is a container on the engine. */
export interface Batch {
  /** Starts a job, waits for its container, stops that, and waits for the job's end. */
  run(name: string, command: BatchCommand): Promise<JobContainer>;
}

/** Makes a queue of jobs in moto, whose containers run on the engine. */
export async function openBatch(moto: Moto, engine: string): Promise<Batch> {
  const post = async (action: string, json: object): Promise<Record<string, unknown>> => {
    const credential = `${moto.env.AWS_ACCESS_KEY_ID}/20260101/${moto.env.AWS_REGION}/batch/aws4_request`;
    const answer = await fetch(`${moto.url}/v1/${action}`, {
      method: 'POST',
      headers: { Authorization: `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=host, Signature=0` },
      body: JSON.stringify(json),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${action}: ${answer.status} ${text}`);
    return JSON.parse(text) as Record<string, unknown>;
  };
  const role = {
    RoleName: 'batch',
    AssumeRolePolicyDocument: JSON.stringify({ Version: '2012-10-17', Statement: [] }),
  };
  const made = await moto.query('iam', { Action: 'CreateRole', ...role });
  const serviceRole = /<Arn>([^<]+)<\/Arn>/.exec(made)?.[1];
  const place = { computeEnvironmentName: 'tests', type: 'UNMANAGED', state: 'ENABLED', serviceRole };
  const { computeEnvironmentArn: computeEnvironment } = await post('createcomputeenvironment', place);
  const order = [{ order: 1, computeEnvironment }];
  await post('createjobqueue', {
    jobQueueName: 'tests',
    state: 'ENABLED',
    priority: 1,
    computeEnvironmentOrder: order,
  });
  const readStatus = async (jobId: unknown) => {
    const { jobs } = await post('describejobs', { jobs: [jobId] });
    return (jobs as { status: string }[])[0]!.status;
  };
  return {
    run: async (name, { image, tag, command, memory, environment_variables: variables = [] }) => {
      const reference = `${image}:${tag}`;
      const environment = variables.map(({ variable_name, value }) => ({ name: variable_name, value }));
      const containerProperties = { image: reference, command, memory, vcpus: 1, environment };
      await post('registerjobdefinition', { jobDefinitionName: name, type: 'container', containerProperties });
      const { jobId } = await post('submitjob', { jobName: name, jobQueue: 'tests', jobDefinition: name });
      const container = await waitFor(() => findContainer(engine, reference, `${jobId}`));
      await askEngine(engine, 'POST', `/containers/${container.Id}/stop`);
      await waitFor(async () => (['SUCCEEDED', 'FAILED'].includes(await readStatus(jobId)) ? true : undefined));
      return container;
    },
  };
}

async function findContainer(engine: string, reference: string, jobId: string): Promise<JobContainer | undefined> {
  const filters = encodeURIComponent(JSON.stringify({ status: ['running'], ancestor: [reference] }));
  const { status, text } = await askEngine(engine, 'GET', `/containers/json?filters=${filters}`);
  const [found] = status === 200 ? (JSON.parse(text) as { Id: string }[]) : [];
  if (found === undefined) return undefined;
  const inspected = JSON.parse((await askEngine(engine, 'GET', `/containers/${found.Id}/json`)).text) as JobContainer;
  return inspected.Config.Env.includes(`AWS_BATCH_JOB_ID=${jobId}`) ? inspected : undefined;
}

async function waitFor<T>(read: () => Promise<T | undefined>): Promise<T> {
  for (let tries = 0; tries < 1200; tries += 1) {
    const value = await read();
    if (value !== undefined) return value;
    await sleep(100);
  }
  throw new Error('nothing came of it in two minutes');
}
