import { setTimeout as sleep } from 'node:timers/promises';
import { bareContainer, type Engine } from '../../../engine/engine.ts';
import type { ServiceContainer } from '../../../engine/service/service-container.ts';
import { GbuildError } from '../../../errors.ts';
import { formatTail } from '../../../escape.ts';
import type { ReadySpec } from '../../../spec/types.ts';

/** Check that tells whether a service is ready: a command in its container, a port, or only that it runs. */
export type ReadyCheck = { kind: 'command'; words: string[] } | { kind: 'port'; port: number } | { kind: 'started' };

/** Chooses the spec's check, else the image's health check (Docker's `Test`: CMD, CMD-SHELL or NONE). */
export function chooseCheck({ cmd, port }: ReadySpec, healthTest: readonly string[] = []): ReadyCheck {
  if (cmd !== undefined) return { kind: 'command', words: cmd };
  if (port !== undefined) return { kind: 'port', port };
  const [kind, ...words] = healthTest;
  if (kind === 'CMD') return { kind: 'command', words };
  if (kind === 'CMD-SHELL') return { kind: 'command', words: ['/bin/sh', '-c', words.join(' ')] };
  return { kind: 'started' };
}

const pauseMilliseconds = 250;

export interface ReadinessInput {
  engine: Pick<Engine, 'runContainer'>;
  container: Pick<ServiceContainer, 'id' | 'whyNot'>;
  /** Image with a shell, to probe from. */
  image: string;
  labels: Record<string, string>;
}

/**
 * Settles when the check succeeds; `say` gets the reason of each failure. An image's own check runs here too: engines
 * wait for half a minute before the first one, and some never run it.
 */
export async function awaitReady(
  { engine, container, image, labels }: ReadinessInput,
  check: ReadyCheck,
  say: (why: string) => void,
  signal: AbortSignal,
): Promise<void> {
  if (check.kind === 'started') return;
  if (check.kind === 'port') say(`nothing listens on its port ${check.port}`);
  const findFault = () =>
    check.kind === 'port'
      ? watchPort({ engine, container, image, labels }, check.port, signal)
      : container.whyNot(check.words, signal);
  for (;;) {
    const fault = await findFault();
    if (fault === undefined) return;
    say(fault);
    await sleep(pauseMilliseconds, undefined, { signal });
  }
}

/**
 * Waits until the port accepts connections. Returns what kept the watching container from its end: it cannot enter the
 * network of a service that ended at that moment, and an engine reports that as a missing file (exit code 127).
 */
async function watchPort(
  { engine, container, image, labels }: ReadinessInput,
  port: number,
  signal: AbortSignal,
): Promise<string | undefined> {
  const watcher = { ...bareContainer(image, ['/bin/sh', '-c', waitForPort(port)]), entrypoint: [''], labels };
  const stop = { ask: signal, kill: signal };
  const spec = { ...watcher, network: `container:${container.id}` };
  const { exitCode, startError } = await engine.runContainer(spec, { stop, onOutput: () => {} });
  return exitCode === 0 ? undefined : (startError ?? `the watch of its port ${port} ended with exit code ${exitCode}`);
}

/**
 * Writes a script that waits for the port. It reads the kernel's socket table in the service's network, which needs no
 * tool there. It looks for a listening socket (0A) on any address except loopback.
 */
function waitForPort(port: number): string {
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  return `while :; do
  for table in /proc/net/tcp /proc/net/tcp6; do
    while read -r _ local _ state _; do
      case "$state $local" in
        "0A 0100007F:"* | "0A 00000000000000000000000001000000:"*) ;;
        "0A "*":${hex}") exit 0 ;;
      esac
    done <"$table"
  done 2>/dev/null
  sleep 0.2 || sleep 1
done`;
}

/** Describes a service that failed, with its last lines of output. */
export function serviceFailed(
  name: string,
  what: string,
  { lines, log, facts = {} }: { lines: string[]; log: string; facts?: Record<string, unknown> },
): GbuildError {
  const said = formatTail(lines);
  return new GbuildError('service-failed', `service ${name} ${what}${said}`, {
    suggestions: [`less ${log}`, `see services.${name} in gbuild.yml`],
    facts: { service: name, log, ...facts },
  });
}
