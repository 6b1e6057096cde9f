import { GbuildError } from '../errors.ts';
import type { Host } from '../host.ts';
import { planTasks } from '../plan/task-plan.ts';
import { Mask } from '../secrets/mask.ts';
import { readSecret } from '../secrets/read-secret.ts';
import type { Secret } from '../secrets/secret.ts';
import { defaultTasks, type WorkspaceSession } from './workspace-session.ts';

/** The secrets that one run was given, each fetched once, when a task first needs it. Kept in memory alone. */
export class RunSecrets {
  readonly #session: WorkspaceSession;
  readonly #host: Host;
  readonly #given = new Map<string, Secret>();
  #mask = new Mask([]);

  constructor(session: WorkspaceSession, host: Host) {
    this.#session = session;
    this.#host = host;
  }

  /** All that were fetched so far. */
  get given(): Secret[] {
    return [...this.#given.values()];
  }

  get mask(): Mask {
    return this.#mask;
  }

  /** Fetches those that are not there yet, one after the other: a command may ask its user something. */
  async fetch(names: Iterable<string>, signal: AbortSignal): Promise<void> {
    const missing = [...new Set(names)].filter((name) => !this.#given.has(name));
    for (const name of missing) this.#given.set(name, await this.#read(name, signal));
    if (missing.length > 0) this.#mask = new Mask(this.given);
  }

  /** Those of a task and of all that it needs. */
  async fetchFor(task: string, signal: AbortSignal): Promise<void> {
    const { spec, toolchain, rootDir } = this.#session;
    const defaults = defaultTasks(this.#session);
    const { tasks } = planTasks({ spec, toolchain, defaults, host: this.#host, rootDir, names: [task], args: [] });
    await this.fetch(
      tasks.flatMap(({ secrets }) => secrets),
      signal,
    );
  }

  pick(names: string[]): Secret[] {
    return names.map((name) => this.#given.get(name)!);
  }

  async #read(name: string, signal: AbortSignal): Promise<Secret> {
    const { spec, rootDir } = this.#session;
    try {
      return await readSecret(name, spec.secrets[name]!, { host: this.#host, rootDir, signal });
    } catch (error) {
      throw error instanceof GbuildError ? await this.#locate(name, error) : error;
    }
  }

  /** The spec's place is looked up only now: a run that goes well reads no YAML. */
  async #locate(name: string, error: GbuildError): Promise<GbuildError> {
    const { specFile, spec } = this.#session;
    if (specFile === undefined || error.code !== 'secret-invalid') return error;
    const { readSpec } = await import('../spec/read.ts');
    // The file was found right before: each task that it names is there.
    const tasks = Object.values(spec.tasks).flatMap(({ needs }) => needs);
    const known = [...tasks, ...(spec.image.build ? [spec.image.build] : [])];
    const place = readSpec(specFile, undefined, known).locate(['secrets', name]);
    if (place === undefined) return error;
    const { message, suggestions, facts } = error;
    const at = `${specFile}:${place.line}:${place.column}`;
    return new GbuildError(error.code, `${at}  ${message}`, { suggestions, facts: { ...facts, ...place } });
  }
}
