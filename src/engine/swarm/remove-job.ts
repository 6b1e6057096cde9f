import { setTimeout as sleep } from 'node:timers/promises';
import { readField, readNumber, readText } from '../answer/json.ts';
import type { EngineClient } from '../client/client.ts';
import { parseTask } from './state.ts';

const pauseMilliseconds = 100;
const what = 'stop a job of its swarm';

/** How often the swarm is asked whether it has taken notice. */
const mostLooks = 100;

/**
 * Ends and removes a job. A swarm that is told to remove one lets its container run on, so it is asked for no completion first;
 * once it has taken notice, it stops the container, within the job's grace, and removes it by itself: that takes some seconds,
 * which nobody waits for.
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

/** Whether there is a container that the swarm still means to keep. */
async function hasWanted(client: EngineClient, service: string): Promise<boolean> {
  const query = { filters: JSON.stringify({ service: [service] }) };
  const { json } = await client.call({ what, method: 'GET', path: '/tasks', query }, [200, 404]);
  const tasks: unknown[] = Array.isArray(json) ? json : [];
  return tasks.some((task) => {
    const isAlive = ['waiting', 'running'].includes(parseTask(task).state);
    return isAlive && readText(task, 'DesiredState') !== 'remove';
  });
}
