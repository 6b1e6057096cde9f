import { get } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { bareContainer } from '../../engine/engine.ts';
import type { ServiceContainer } from '../../engine/service/service-container.ts';
import { GbuildError, messageOf } from '../../errors.ts';
import { formatTail } from '../../escape.ts';
import type { RunConfig } from '../../oci/spec.ts';
import { publishPorts, type ReachedPort } from '../run/container/publish-ports.ts';
import { chooseCheck } from '../run/services/readiness.ts';
import { usualCapabilities } from '../run/services/service-container-plan.ts';
import type { RotateScene } from './judge-bases.ts';

/** Way to tell that a release is well: a path that answers 200, a port that answers at all, or its own health check. */
type TrialCheck =
  | { kind: 'path'; port: number; path: string }
  | { kind: 'port'; port: number }
  | { kind: 'command'; words: string[] };

const trialSeconds = 60;
const pauseMilliseconds = 250;

/**
 * Starts a new release as in production: its own user and command, the variables of `deliver.service`, a read-only root
 * where `image.smoke` asks for one. Waits until it is well, and removes it.
 *
 * @throws GbuildError `smoke-failed` with its last lines, or `timed-out`
 */
export async function tryRelease(
  scene: RotateScene,
  reference: string,
  engineId: string,
  config: RunConfig,
): Promise<void> {
  const { request, session } = scene;
  const { engine, progress, stop } = request;
  const { kind } = await engine.info();
  const check = chooseTrialCheck(scene, reference, config);
  const smoke = session?.spec.image.smoke;
  const port = 'port' in check ? [{ port: check.port, protocol: 'tcp' as const }] : [];
  await progress.step(`starting ${reference} until ${describeTrial(check)}`, async () => {
    const { ports, reached, onPublished } = publishPorts(reference, port, {
      engine,
      network: 'bridge',
      // The port of a trial is of no use to the caller.
      progress: { note: () => {} },
    });
    const writable = session?.spec.image.writable ?? [];
    const container = await engine.services.start(
      {
        ...bareContainer(engineId, []),
        user: '',
        workdir: '',
        env: { ...session?.spec.deliver.service.env, ...smoke?.env },
        network: port.length > 0 ? 'bridge' : 'none',
        init: false,
        capAdd: usualCapabilities,
        log: kind === 'podman' ? 'json-file' : 'local',
        labels: { 'io.gbuild.repository': scene.name },
        ...(ports !== undefined && { ports }),
        ...(smoke?.readOnly === true && {
          readOnlyRoot: true,
          mounts: [
            { type: 'tmpfs' as const, containerDir: '/tmp', size: 64 << 20 },
            ...writable.map((containerDir) => ({ type: 'nameless' as const, containerDir })),
          ],
        }),
      },
      stop.ask,
    );
    try {
      if (ports !== undefined) await onPublished?.(await container.readPorts(ports));
      await untilWell(container, check, reached, { reference, signal: stop.ask });
    } finally {
      await container.remove();
    }
  });
}

function chooseTrialCheck({ session }: RotateScene, reference: string, config: RunConfig): TrialCheck {
  const said = session?.spec.deliver.service;
  const smoke = session?.spec.image.smoke;
  const exposed = Object.keys(config.ExposedPorts ?? {}).filter((each) => /^\d+(\/tcp)?$/.test(each));
  const port = said?.port ?? smoke?.port ?? (exposed.length === 1 ? Number.parseInt(exposed[0]!, 10) : undefined);
  if (port !== undefined && said?.health !== undefined) return { kind: 'path', port, path: said.health };
  if (smoke?.cmd !== undefined) return { kind: 'command', words: smoke.cmd };
  const own = chooseCheck({ timeout: trialSeconds }, config.Healthcheck?.Test);
  if (own.kind === 'command') return own;
  if (port !== undefined) return { kind: 'port', port };
  throw new GbuildError(
    'smoke-failed',
    `nothing says when ${reference} is well: it has no health check and no single port`,
    {
      suggestions: ['write deliver.service.health and deliver.service.port in gbuild.yml', 'leave out --smoke'],
      facts: { reference },
    },
  );
}

function describeTrial(check: TrialCheck): string {
  if (check.kind === 'path') return `${check.path} answers 200 on port ${check.port}`;
  return check.kind === 'port'
    ? `port ${check.port} answers`
    : `"${check.words.join(' ')}" ends with exit code 0 in it`;
}

async function untilWell(
  container: ServiceContainer,
  check: TrialCheck,
  reached: readonly ReachedPort[],
  { reference, signal }: { reference: string; signal: AbortSignal },
): Promise<void> {
  const late = AbortSignal.timeout(trialSeconds * 1000);
  const both = AbortSignal.any([signal, late]);
  const ended = container.waitForEnd(both).catch(() => undefined);
  let isOver = false;
  let exitCode: number | undefined;
  ended.then((code) => {
    isOver = true;
    exitCode = code;
  });
  for (let why = 'it still starts'; ; ) {
    signal.throwIfAborted();
    if (late.aborted)
      throw await failed(container, reference, `was not well within ${trialSeconds} s: ${why}`, 'timed-out');
    if (isOver)
      throw await failed(
        container,
        reference,
        `ended with exit code ${exitCode} before ${describeTrial(check)}`,
        'smoke-failed',
      );
    const fault = await (check.kind === 'command'
      ? container.whyNot(check.words, both)
      : ask(reached[0]!.at, check.kind === 'path' ? check.path : undefined, both)
    ).catch((thrown: unknown) => messageOf(thrown));
    if (fault === undefined) return;
    why = fault;
    await sleep(pauseMilliseconds, undefined, { signal: both }).catch(() => {});
  }
}

/** Asks by HTTP. Returns what is wrong; without a path any answer is right. */
function ask(at: string, path: string | undefined, signal: AbortSignal): Promise<string | undefined> {
  return new Promise((resolve) => {
    const request = get(`http://${at}${path ?? '/'}`, { agent: false, signal, timeout: 5000 }, (answer) => {
      answer.resume();
      const isWell = path === undefined || answer.statusCode === 200;
      resolve(isWell ? undefined : `${path} answers ${answer.statusCode}`);
    });
    request.on('timeout', () => request.destroy(new Error('no answer within 5 s')));
    request.on('error', (error) => resolve(messageOf(error)));
  });
}

async function failed(
  container: ServiceContainer,
  reference: string,
  what: string,
  code: 'smoke-failed' | 'timed-out',
): Promise<GbuildError> {
  const lines: string[] = [];
  for await (const { data } of container.readLog()) lines.push(...data.toString().split('\n').filter(Boolean));
  return new GbuildError(code, `${reference} ${what}${formatTail(lines)}`, {
    suggestions: ['see deliver.service in gbuild.yml'],
    facts: { reference },
  });
}
