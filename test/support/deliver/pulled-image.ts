import { expect } from 'vitest';
import { askEngine } from '../engines/engine-http.ts';

/** Pulls a reference as a deployer does, and removes it again. Returns the image id. */
export async function pullImageId(host: string, reference: string): Promise<string> {
  const pulled = await askEngine(host, 'POST', `/images/create?fromImage=${encodeURIComponent(reference)}`);
  expect([pulled.status, pulled.text.includes('"error"')], pulled.text).toEqual([200, false]);
  const { text } = await askEngine(host, 'GET', `/images/${reference}/json`);
  await askEngine(host, 'DELETE', `/images/${reference}`);
  return (JSON.parse(text) as { Id: string }).Id;
}
