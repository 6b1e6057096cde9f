import { join } from 'node:path';
import { bareContainer, type ContainerSpec } from '../../engine/engine.ts';
import type { ServiceContainer } from '../../engine/service/service-container.ts';
import { ServiceStartError } from '../../engine/service/service-engine.ts';
import { GbuildError } from '../../errors.ts';
import { formatTail } from '../../escape.ts';
import type { ImagePlan } from '../../plan/image-plan.ts';
import type { Mask } from '../../secrets/mask.ts';
import type { SmokeSpec } from '../../spec/types.ts';
import { awaitReady, chooseCheck, type ReadyCheck } from '../run/services/readiness.ts';
import { usualCapabilities } from '../run/services/service-container-plan.ts';
import { keepServiceLog } from '../run/services/service-log.ts';
import type { MakeImageRequest } from './make-image-request.ts';
import { withSmokeNetwork } from './smoke-network.ts';

export interface SmokeInput extends MakeImageRequest {
  plan: ImagePlan;
  smoke: SmokeSpec;
  /** Id of the image on the engine; it has no name yet. */
  engineId: string;
  /** `Test` of the image's health check. */
  healthTest: readonly string[] | undefined;
  mask: Pick<Mask, 'openStream' | 'maskText'>;
}

/** Check that tells whether the image is healthy. */
type SmokeCheck = ReadyCheck | { kind: 'exit' };

/**
 * Starts an image that has no name yet as it will run, and waits until it is healthy. Its container is removed
 * afterwards.
 *
 * @throws GbuildError `smoke-failed` with the exit code where the image's program ended, `timed-out` where it was not
 * healthy in time, both with its last lines; `spec-invalid` where it has no health check
 */
export async function smokeImage(input: SmokeInput): Promise<void> {
  const { plan, smoke, progress } = input;
  const check = chooseSmokeCheck(input);
  await progress.step(`starting ${plan.reference} until ${describeCheck(check)}`, () =>
    withSmokeNetwork(input, smoke.services, check.kind === 'port', ({ network, stop, image }) =>
      tryImage({ ...input, stop }, check, { network, image }),
    ),
  );
}

function chooseSmokeCheck({ smoke, healthTest, plan }: SmokeInput): SmokeCheck {
  const { port, cmd, until } = smoke;
  if (until === 'exit') return { kind: 'exit' };
  if (until === undefined)
    return chooseCheck({
      timeout: smoke.timeout,
      ...(port !== undefined && { port }),
      ...(cmd !== undefined && { cmd }),
    });
  const check = chooseCheck({ timeout: smoke.timeout }, healthTest);
  if (check.kind === 'command') return check;
  throw new GbuildError(
    'spec-invalid',
    `image.smoke of ${plan.reference} asks its health, and it has no health check`,
    {
      suggestions: ['write image.health in gbuild.yml', 'or say what to wait for: smoke: {port: 8080}'],
      facts: { key: 'image.smoke' },
    },
  );
}

/** Returns a phrase that completes "starting hello:1.0.1 until". */
export function describeCheck(check: SmokeCheck): string {
  if (check.kind === 'exit') return 'it ends with exit code 0';
  if (check.kind === 'port') return `it listens on port ${check.port}`;
  return check.kind === 'command' ? `"${check.words.join(' ')}" ends with exit code 0 in it` : 'it runs';
}

/** Network of the started image, and an image with a shell to probe from. */
interface SmokeContext {
  network: string;
  image: string;
}

async function tryImage(input: SmokeInput, check: SmokeCheck, context: SmokeContext): Promise<void> {
  const { engine, stop } = input;
  const container = await engine.services.start(await planSmoke(input, context), stop.ask).catch((thrown: unknown) => {
    throw nameFailure(thrown, input);
  });
  try {
    await untilWell(container, check, context, input);
  } finally {
    await container.remove();
  }
}

/** Plans the container as `docker run` would: the image's own user and command, without gbuild's init. */
async function planSmoke(
  { engine, plan, smoke, engineId }: SmokeInput,
  { network }: SmokeContext,
): Promise<ContainerSpec> {
  const { kind } = await engine.info();
  const writable = (plan.writable?.folders ?? []).map((folder) => `/${folder}`);
  return {
    ...bareContainer(engineId, []),
    user: '',
    workdir: '',
    env: smoke.env,
    network,
    // The services' network gives the container a name.
    ...(network !== 'none' && { alias: 'image' }),
    init: false,
    capAdd: usualCapabilities,
    log: kind === 'podman' ? 'json-file' : 'local',
    labels: { 'io.gbuild.repository': plan.repository },
    ...(smoke.readOnly && {
      readOnlyRoot: true,
      mounts: [
        { type: 'tmpfs', containerDir: '/tmp', size: 64 << 20 },
        ...writable.map((containerDir) => ({ type: 'nameless' as const, containerDir })),
      ],
    }),
  };
}

async function untilWell(
  container: ServiceContainer,
  check: SmokeCheck,
  { image }: SmokeContext,
  input: SmokeInput,
): Promise<void> {
  const { engine, smoke, stop } = input;
  const late = AbortSignal.timeout(smoke.timeout * 1000);
  const over = new AbortController();
  const signal = AbortSignal.any([stop.ask, late, over.signal]);
  let why = '';
  const say = (said: string) => {
    why = said;
  };
  const ended = container.waitForEnd(signal);
  const labels = { 'io.gbuild.repository': input.plan.repository };
  const well = check.kind === 'exit' ? ended : awaitReady({ engine, container, image, labels }, check, say, signal);
  try {
    const first = await Promise.race([well.then(() => undefined), ended]);
    const exitCode = check.kind === 'exit' ? await ended : first;
    if (exitCode === undefined || (exitCode === 0 && check.kind === 'exit')) return;
    const before = check.kind === 'exit' ? '' : ` before ${describeCheck(check)}`;
    const what = `ended with exit code ${exitCode}${before}`;
    throw await smokeFailed(container, what, input, { code: 'smoke-failed', exitCode: exitCode || 1 });
  } catch (thrown) {
    if (stop.ask.aborted) throw stop.ask.reason;
    if (!late.aborted) throw thrown;
    const what = `was not ready within ${smoke.timeout} s: ${why === '' ? 'it still runs' : why}`;
    throw await smokeFailed(container, what, input, { code: 'timed-out' });
  } finally {
    over.abort();
    await Promise.allSettled([well, ended]);
  }
}

async function smokeFailed(
  container: ServiceContainer,
  what: string,
  { plan, host, runId, mask, progress }: SmokeInput,
  { code, exitCode }: { code: 'smoke-failed' | 'timed-out'; exitCode?: number },
): Promise<GbuildError> {
  const log = join(host.stateDir, 'runs', runId, 'image.log');
  const lines = await keepServiceLog(container, log, mask, (text) => progress.warn(text)).catch(() => []);
  return new GbuildError(code, `${plan.reference} ${mask.maskText(what)}${formatTail(lines)}`, {
    suggestions: [`less ${log}`, 'see image.smoke in gbuild.yml'],
    facts: { reference: plan.reference, log, ...(exitCode !== undefined && { exitCode }) },
    ...(exitCode !== undefined && { exitCode }),
  });
}

/** Translates the engine's refusal to start the program. */
function nameFailure(thrown: unknown, { plan }: SmokeInput): unknown {
  if (!(thrown instanceof ServiceStartError)) return thrown;
  return new GbuildError('smoke-failed', `${plan.reference} could not be started: ${thrown.message}`, {
    suggestions: ['gbuild plan image   # what it starts'],
    cause: thrown,
    exitCode: thrown.start.exitCode,
    facts: { ...thrown.facts, reference: plan.reference },
  });
}
