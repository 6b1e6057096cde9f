import type { EngineInfo } from '../../engine/info.ts';
import type { Host } from '../../host.ts';

const mostSeconds = 60;

/**
 * Describes how far the engine's clock is from the caller's, and the command to set it. Undefined where they agree, or
 * where the engine does not report its time.
 */
export function tellSkew(
  { startedAt }: Pick<Host, 'startedAt'>,
  info: Pick<EngineInfo, 'time' | 'toldAt'> | undefined,
  machine: string | undefined,
): { detail: string; todo: string[] } | undefined {
  const skew = Math.abs(Date.parse(info?.time ?? '') - startedAt - (info?.toldAt ?? 0)) / 1000;
  if (Number.isNaN(skew) || skew <= mostSeconds) return undefined;
  return {
    detail: `the engine's clock is ${Math.round(skew)} s away from this machine's: build tools that compare file times will be confused`,
    // The clock of a virtual machine stops while its host sleeps.
    todo: machine === undefined ? ['timedatectl set-ntp true'] : [setClock(machine), 'timedatectl set-ntp true'],
  };
}

function setClock(machine: string): string {
  return `docker-machine ssh ${machine} sudo date -u -s @$(date +%s)`;
}
