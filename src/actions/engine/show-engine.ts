import { connectEngine, type Endpoint } from '../../engine/engine.ts';
import type { EngineInfo } from '../../engine/info.ts';
import { GbuildError } from '../../errors.ts';
import { readOwner } from '../../fs/process-owner.ts';
import type { Host } from '../../host.ts';
import type { Progress } from '../../reporter/progress.ts';
import { tellSkew } from '../session/clock-skew.ts';
import type { EngineChoice } from '../session/engine-choice.ts';
import { chooseEngine } from '../session/open-engine.ts';
import { readEngineName } from '../session/parse-engine-name.ts';

export interface ShownEngine {
  endpoint: Endpoint;
  info: EngineInfo;
}

/** Implements `gbuild engine show`: describes the named engine, or the one that a command would choose. */
export async function showEngine(
  host: Host,
  name: string | undefined,
  choice: EngineChoice,
  progress: Progress,
): Promise<ShownEngine> {
  const flag = (['host', 'context', 'machine'] as const).find((kind) => choice[kind] !== undefined);
  if (name !== undefined && flag !== undefined)
    throw new GbuildError('usage', `${name} and --${flag} both name an engine`, {
      suggestions: [`gbuild engine show ${name}`],
    });
  const named = name === undefined || name === 'default' ? choice : readEngineName(host, name);
  const endpoint = await chooseEngine(host, named, { say: (text) => progress.note(text), mayStart: false });
  for (const warning of endpoint.warnings) progress.warn(warning);
  const engine = connectEngine(endpoint, { owner: readOwner(), runId: 'show' });
  try {
    const info = await engine.info();
    const skew = tellSkew(host, info, endpoint.machine);
    if (skew !== undefined) progress.warn(`${skew.detail}: ${skew.todo[0]}`);
    return { endpoint: named === choice ? endpoint : { ...endpoint, reason: 'named on the command line' }, info };
  } finally {
    engine.close();
  }
}
