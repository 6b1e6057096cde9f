import { setTimeout as sleep } from 'node:timers/promises';

/** Answer of the rig's service. */
export interface ServiceAnswer {
  version: string;
  greeting?: string;
  args: string[];
}

/** Asks the rig's service until it answers with this version. */
export async function askService(url: string, version: string): Promise<ServiceAnswer> {
  let last: unknown;
  for (let tries = 0; tries < 600; tries += 1) {
    try {
      last = await (await fetch(url)).json();
      if ((last as ServiceAnswer).version === version) return last as ServiceAnswer;
    } catch (error) {
      last = error;
    }
    await sleep(100);
  }
  throw new Error(`${url} did not answer as ${version}: ${JSON.stringify(last) ?? String(last)}`);
}
