import { setTimeout as sleep } from 'node:timers/promises';

/** Returns the JSON of a server once it is up; waits some ten seconds, or the given number. */
export async function askUntilUp(url: string, seconds = 10): Promise<unknown> {
  for (let tries = 0; ; tries += 1) {
    try {
      return await (await fetch(url)).json();
    } catch (error) {
      if (tries > seconds * 10) throw error;
      await sleep(100);
    }
  }
}
