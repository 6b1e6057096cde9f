import { parseAddress } from '../../engine/endpoint/address.ts';
import type { EngineName } from '../../engine/endpoint/choose-endpoint.ts';
import { listContexts, readContext } from '../../engine/endpoint/docker-config.ts';
import { listMachines, machineStore, readMachine } from '../../engine/endpoint/machine-store.ts';
import { GbuildError } from '../../errors.ts';
import type { Host } from '../../host.ts';
import { suggest } from '../../spec/yaml/suggest.ts';

/**
 * Parses the name of an engine: a URL, the name of a docker context or of a machine, or `default` for no named one. A
 * prefix `context:` or `machine:` decides where both have the name. Asks no engine. `command` is the command that takes
 * the name.
 *
 * @throws GbuildError `usage` for a name that is unknown or ambiguous
 */
export function readEngineName(host: Host, name: string, command = 'gbuild engine use'): EngineName {
  if (name.includes('://')) return { host: parseAddress(name, 'the engine', false).at.url };
  const [, kind, own] = /^(context|machine):(.+)$/s.exec(name) ?? [];
  if (kind === 'machine') return { machine: readMachine(host, own!, 'the engine').name };
  if (kind === 'context') return { context: readContext(host, own!, 'the engine').name };
  if (name === 'default') return {};
  const isContext = listContexts(host).some((context) => context.name === name);
  const isMachine = listMachines(host).includes(name);
  if (isContext && isMachine)
    throw new GbuildError('usage', `there is a docker context and a machine of the name ${name}`, {
      suggestions: [`${command} context:${name}`, `${command} machine:${name}`],
    });
  if (isContext) return { context: name };
  if (isMachine) return { machine: name };
  throw unknownEngine(host, name, command);
}

function unknownEngine(host: Host, name: string, command: string): GbuildError {
  const contexts = ['default', ...listContexts(host).map((context) => context.name)];
  const machines = listMachines(host);
  const near = suggest(name, [...contexts, ...machines]);
  const there = `the docker contexts are ${contexts.join(', ')}, the machines in ${machineStore(host)} ${machines.join(', ') || 'none'}`;
  return new GbuildError('usage', `no engine is called "${name}": ${there}`, {
    suggestions: [
      ...(near === undefined ? [] : [`${command} ${near}`]),
      'gbuild engine ls',
      `${command} ssh://USER@HOST`,
    ],
  });
}
