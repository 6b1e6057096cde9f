import { setTimeout as sleep } from 'node:timers/promises';
import { readField, readNumber, readText } from '../answer/json.ts';
import type { EngineClient } from '../client/client.ts';
import { parseTask } from './state.ts';

const pauseMilliseconds = 100;
const what = 'stop a job of its swarm';

/** Number of checks whether the swarm has acted on the change. */
const mostLooks = 100;

/**
 * Ends and removes a job. Removing it alone would leave its container running, so the job first gets zero completions.
 * The swarm then stops the container within the job's grace period and removes it some seconds later; this function
 * does not wait for that.
 */
export async function removeJob(client: EngineClient, service: string): Promise<void> {
  const path = `/services/${service}`;
  const { status, json } = await client.call({ what, method: 'GET', path }, [200, 404]);
  if (status === 404) return;
  const version = readNumber(readField(json, 'Version'), 'Index') ?? 0;
  const spec = readField(json, 'Spec') as object;
  const nothing = { ...spec, Mode: { ReplicatedJob: { MaxConcurrent: 0, TotalCompletions: 0 } } };
  await client.call({ what, method: 'POST', path: `${path}/update`, query: { version }, json: nothing });
  for (let looks = 0; looks < mostLooks && (await hasWanted(client, service)); looks += 1)
    await sleep(pauseMilliseconds);
  await client.call({ what, method: 'DELETE', path }, [200, 204, 404]);
}

/** Whether the swarm still intends to run a container. */
async function hasWanted(client: EngineClient, service: string): Promise<boolean> {
  const query = { filters: JSON.stringify({ service: [service] }) };
  const { json } = await client.call({ what, method: 'GET', path: '/tasks', query }, [200, 404]);
  const tasks: unknown[] = Array.isArray(json) ? json : [];
  return tasks.some((task) => {
    const isAlive = ['waiting', 'running'].includes(parseTask(task).state);
    return isAlive && readText(task, 'DesiredState') !== 'remove';
  });
}
