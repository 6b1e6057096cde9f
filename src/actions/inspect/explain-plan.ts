import { escapeLine } from '../../escape.ts';
import type { Entry } from '../../oci/tar/entry.ts';
import { containerPaths } from '../../plan/container-paths.ts';
import { type PlannedLayer, planImage } from '../../plan/image-plan.ts';
import { matchFolders } from '../../plan/match-globs.ts';
import type { PlannedService } from '../../plan/service-plan.ts';
import { planTasks, tasksOf } from '../../plan/task-plan.ts';
import { formatBytes } from '../../reporter/format.ts';
import { silentProgress } from '../../reporter/progress.ts';
import { formatSource } from '../../secrets/source.ts';
import { formatPublished } from '../../spec/published-port.ts';
import type { SmokeSpec } from '../../spec/types.ts';
import { readHostFiles } from '../../toolchain/host/host-files.ts';
import { readRevision } from '../../workspace/commit/revision.ts';
import { mayHoldCredentials } from '../../workspace/credentials.ts';
import { readTrackedFiles } from '../../workspace/git/tracked.ts';
import { collectRules } from '../image/collect-layers.ts';
import type { AppContext, WorkspaceSession } from '../session/context.ts';
import { defaultTasks, openWorkspace } from '../session/open-repository.ts';

/** Plan as text for people and as data for `--json`. */
export interface ExplainedPlan {
  text: string;
  data: object;
}

/**
 * Explains what `gbuild run NAME` (or, for "image", `gbuild image`) would do. Reads files only: no engine, no network.
 */
export async function explainPlan(context: AppContext, name: string): Promise<ExplainedPlan> {
  const session = await openWorkspace(context);
  const tasks = tasksOf(session.spec, defaultTasks(session));
  return name === 'image' && !Object.hasOwn(tasks, 'image')
    ? explainImage(context, session)
    : explainTasks(context, session, name);
}

/** Lists the names of all tasks, those of the spec and of the toolchain. */
export async function listTasks(context: Omit<AppContext, 'progress'>): Promise<string[]> {
  const session = await openWorkspace({ ...context, progress: silentProgress });
  return Object.keys(tasksOf(session.spec, defaultTasks(session)));
}

function explainTasks({ host }: AppContext, session: WorkspaceSession, name: string): ExplainedPlan {
  const { spec, toolchain, rootDir } = session;
  const defaults = defaultTasks(session);
  const hasSpec = session.specFile !== undefined;
  const plan = planTasks({ spec, toolchain, defaults, host, rootDir, hasSpec, names: [name], args: [] });
  const settings = readHostFiles(host, toolchain.hostFiles).map(({ from, to }) => ({ from, to }));
  const needed = new Set(plan.tasks.flatMap((task) => task.secrets));
  const secrets = [...needed].map((name) => ({ name, from: formatSource(spec.secrets[name]!) }));
  const planned = new Set(plan.tasks.map((task) => task.name));
  const others = Object.keys(tasksOf(spec, defaults)).filter((task) => !planned.has(task));
  const lines = [
    ...head(session),
    ...list(
      'caches',
      plan.caches.map((cache) => `${cache.volume} -> ${cache.containerDir}`),
    ),
    ...list(
      'settings',
      settings.map(({ from, to }) => `~/${from} -> ${to}`),
    ),
    ...list(
      'secrets',
      secrets.map(({ name, from }) => `${name} from ${from} -> ${containerPaths.secrets}/${name}`),
    ),
    `network     ${plan.network}`,
    ...list('services', plan.services.map(describeService)),
    ...plan.tasks.flatMap((task, index) => [
      `task ${index + 1}      ${task.name}${task.needs.length > 0 ? ` (after ${task.needs.join(', ')})` : ''}`,
      ...task.command
        .join(' ')
        .trim()
        .split('\n')
        .map((line) => `            ${line}`),
      ...list('  passes', task.passEnv),
      ...list('  secrets', task.secrets),
      ...list('  services', task.services),
      ...list('  ports', task.ports.map(formatPublished)),
      ...(task.timeout === undefined ? [] : [`  limit     ${task.timeout} s`]),
    ]),
    ...(others.length > 0 ? [`also there  ${others.join(', ')}`] : []),
  ];
  return { text: layOut(lines), data: { lock: toolchain.lockState, ...plan, settings, secrets } };
}

/** Joins the parts, each as one line, whatever the repository's names contain. */
function layOut(lines: string[]): string {
  return `${lines.map(escapeLine).join('\n')}\n`;
}

function describeService({ name, runs, ports }: PlannedService): string {
  const what = runs.kind === 'image' ? [runs.reference, ...runs.command] : runs.task.command;
  const published = ports.length === 0 ? '' : ` (ports ${ports.map(formatPublished).join(', ')})`;
  return `${name}: ${what.join(' ').trim().replaceAll('\n', '; ')}${published}`;
}

async function explainImage({ host }: AppContext, session: WorkspaceSession): Promise<ExplainedPlan> {
  const { spec, toolchain, rootDir, defaults } = session;
  const revision = await readRevision(rootDir, host.env, matchFolders(toolchain.leftovers));
  const tasks = Object.keys(tasksOf(spec, defaultTasks(session)));
  const plan = planImage({ spec, toolchain, defaults, revision, tasks });
  // A missing file is no error before the build.
  const rules = plan.layers.map((layer) => ({ ...layer, optional: true }));
  const collected = await collectRules({ rootDir, rules, host });
  const isNamed = (path: string) => plan.layers.some((layer) => layer.credentials.includes(path));
  const tracked = (await readTrackedFiles(rootDir, host.env)) ?? [];
  const credentials = tracked.filter((path) => mayHoldCredentials(path) && !isNamed(path));
  const { foreseeStart } = await import('../image/foresee-start.ts');
  const starts = [...(plan.config.Entrypoint ?? []), ...(plan.config.Cmd ?? [])];
  const lines = [
    ...head(session),
    `image       ${plan.reference}`,
    `base        ${plan.base}`,
    ...list('for', plan.platforms ?? []),
    `build       ${plan.buildTask ?? '(no build task: the files are packed as they are)'}`,
    ...plan.layers.map((layer, at) => describeLayer(layer, collected[at]?.entries ?? [])),
    ...list(
      'left out',
      credentials.map((path) => `${path} (may hold credentials)`),
    ),
    `starts      ${starts.join(' ')}`,
    ...(await foreseeStart(session, plan, { host, collected })).map((text) => `            ! ${text}`),
    `as user     ${plan.config.User}`,
    ...list('tried', plan.smoke === undefined ? [] : [describeSmoke(plan.smoke)]),
    ...list(
      'writable',
      (plan.writable?.folders ?? []).map((folder) => `/${folder}`),
    ),
    ...list('dirty', revision?.dirty ?? []),
  ];
  return { text: layOut(lines), data: { lock: toolchain.lockState, ...plan } };
}

/** Description of the files that a rule with its own selection takes. */
const chosen = {
  all: undefined,
  production: 'packages that production needs',
  made: 'what git ignores and tasks made',
  tracked: 'what git tracks, and new files',
} as const;

function describeLayer({ name, from, select, listedIn, to }: PlannedLayer, entries: Entry[]): string {
  const how = chosen[select] ?? (listedIn === undefined ? undefined : `what ${listedIn} lists`);
  const what = [...from.filter((path) => path !== '.'), ...(how === undefined ? [] : [how])];
  const files = entries.filter(({ type }) => type !== 'directory');
  const bytes = entries.reduce((sum, entry) => sum + (entry.type === 'file' ? entry.content.size : 0), 0);
  const now = files.length === 0 ? 'nothing yet' : `${countOf(files.length, 'file')}, ${formatBytes(bytes)} now`;
  return `layer       ${name}: ${what.join(', ') || '.'} -> ${to}  (${now})`;
}

/** Describes the check that tells whether the started image is healthy. */
function describeSmoke({ port, cmd = [], until, timeout, services }: SmokeSpec): string {
  const by = services.length === 0 ? 'without a network' : `with ${services.join(', ')}`;
  const what = until ?? (port === undefined ? cmd.join(' ') : `port ${port}`);
  return `${by} until: ${what} (within ${timeout} s)`;
}

function countOf(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

function head({ rootDir, spec, specFile, toolchain, rememberedIn }: WorkspaceSession): string[] {
  const fits = rememberedIn === undefined ? 'as locked in gbuild.lock' : 'as in the last run';
  const locked = toolchain.lockState === 'fits' ? fits : `lock: ${toolchain.lockState}`;
  return [
    `repository  ${spec.name} in ${rootDir}`,
    `spec        ${specFile ?? '(detected)'}`,
    `toolchain   ${toolchain.request} is ${toolchain.name} ${toolchain.version}, ${locked}`,
    `container   ${toolchain.build}`,
  ];
}

function list(title: string, items: string[]): string[] {
  return items.map((item, index) => `${(index === 0 ? title : '').padEnd(12)}${item}`);
}
