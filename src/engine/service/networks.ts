import { isIPv4 } from 'node:net';
import { GbuildError } from '../../errors.ts';
import { readField, readList, readText, readTextMap } from '../answer/json.ts';
import type { EngineClient } from '../client/client.ts';
import { EngineRefusalError, readAnswerList } from '../client/failures.ts';

export interface EngineNetwork {
  name: string;
  labels: Record<string, string>;
}

/** Creates a network on which containers find each other by name (POST /networks/create). */
export async function createNetwork(client: EngineClient, { name, labels }: EngineNetwork): Promise<void> {
  const json = { Name: name, Driver: 'bridge', CheckDuplicate: true, Labels: labels };
  const request = { what: `make the network ${name}`, method: 'POST', path: '/networks/create', json } as const;
  await client.call(request).catch((thrown: unknown) => {
    if (!(thrown instanceof EngineRefusalError)) throw thrown;
    // An engine has a few dozen address ranges by default.
    const suggestions = ['docker network prune   # those that nobody uses', 'gbuild clean', ...thrown.suggestions];
    throw new GbuildError(thrown.code, thrown.message, { suggestions, cause: thrown, facts: thrown.facts });
  });
}

/** Lists the networks with the label (GET /networks). */
export async function listNetworks(client: EngineClient, label: string): Promise<EngineNetwork[]> {
  const query = { filters: JSON.stringify({ label: [label] }) };
  const { json } = await client.call({ what: 'list networks', method: 'GET', path: '/networks', query });
  return readAnswerList(client, json, 'list networks').map((each) => ({
    name: readText(each, 'Name') ?? '',
    labels: readTextMap(each, 'Labels'),
  }));
}

/**
 * Reads the IPv4 address of the bridge on the engine's machine (GET /networks/bridge). Undefined where the engine has
 * no such network.
 */
export async function readBridgeGateway(client: EngineClient): Promise<string | undefined> {
  const request = { what: 'look at the bridge network', method: 'GET', path: '/networks/bridge' } as const;
  const { status, json } = await client.call(request, [200, 404]);
  if (status === 404) return undefined;
  const gateways = readList(readField(json, 'IPAM'), 'Config').map((each) => readText(each, 'Gateway') ?? '');
  return gateways.find((gateway) => isIPv4(gateway));
}

/** Removes a network (DELETE /networks/{name}); a missing one is fine, one in use is `engine-failed`. */
export async function removeNetwork(client: EngineClient, name: string): Promise<void> {
  await client.call(
    { what: `remove the network ${name}`, method: 'DELETE', path: `/networks/${name}` },
    [200, 204, 404],
  );
}
