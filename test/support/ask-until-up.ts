import { setTimeout as sleep } from 'node:timers/promises';

/** The JSON that a service answers, which may take ten seconds to come up. */
export async function askUntilUp(url: string): Promise<unknown> {
  for (let tries = 0; ; tries += 1) {
    try {
      return await (await fetch(url)).json();
    } catch (error) {
      if (tries > 100) throw error;
      await sleep(100);
    }
  }
}
