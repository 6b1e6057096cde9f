import { GbuildError } from '../../errors.ts';
import type { Host } from '../../host.ts';
import { planTasks } from '../../plan/task-plan.ts';
import type { Progress } from '../../reporter/progress.ts';
import { listHostSources } from '../../secrets/host-source.ts';
import { Mask } from '../../secrets/mask.ts';
import { readSecret } from '../../secrets/read-secret.ts';
import type { Secret } from '../../secrets/secret.ts';
import type { WorkspaceSession } from '../session/context.ts';
import { defaultTasks } from '../session/open-repository.ts';
import { type DeclaringRepository, ensureConsent } from '../trust/host-consent.ts';
import { locateSecrets } from '../trust/locate-secret.ts';

export interface SecretsInput extends Pick<DeclaringRepository, 'ownerDir'> {
  session: WorkspaceSession;
  host: Host;
  progress: Progress;
}

/** Secrets of one run. Each is fetched once, when a task first needs it, and kept in memory only. */
export class RunSecrets {
  readonly #session: WorkspaceSession;
  readonly #repository: DeclaringRepository;
  readonly #host: Host;
  readonly #progress: Progress;
  /** Secrets that the caller lets the repository run or read on this machine. */
  readonly #agreed = new Set<string>();
  readonly #given = new Map<string, Secret>();
  #mask = new Mask([]);

  constructor({ session, host, progress, ownerDir }: SecretsInput) {
    this.#session = session;
    this.#repository = { ...session, ...(ownerDir !== undefined && { ownerDir }) };
    this.#host = host;
    this.#progress = progress;
  }

  /** All secrets that were fetched so far. */
  get given(): Secret[] {
    return [...this.#given.values()];
  }

  get mask(): Mask {
    return this.#mask;
  }

  /**
   * Fetches missing secrets one after the other: a command may ask its user something. Before the first one that runs
   * or reads anything on this machine, the caller must have agreed.
   */
  async fetch(names: Iterable<string>, signal: AbortSignal): Promise<void> {
    const missing = [...new Set(names)].filter((name) => !this.#given.has(name));
    await this.#ensureConsent(missing);
    for (const name of missing) this.#given.set(name, await this.#read(name, signal));
    if (missing.length > 0) this.#mask = new Mask(this.given);
  }

  /** Fetches the secrets of a task and of all tasks that it needs. */
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

  async #ensureConsent(names: string[]): Promise<void> {
    const { rootDir, spec } = this.#session;
    const unasked = names.filter((name) => !this.#agreed.has(name)).map((name) => [name, spec.secrets[name]!] as const);
    const [first] = listHostSources(Object.fromEntries(unasked), { rootDir, homeDir: this.#host.homeDir });
    if (first === undefined) return;
    const { sources } = await ensureConsent(this.#repository, first.name, this.#host, this.#progress);
    for (const { name } of sources) this.#agreed.add(name);
  }

  async #read(name: string, signal: AbortSignal): Promise<Secret> {
    const { spec, rootDir } = this.#session;
    const context = { host: this.#host, rootDir, signal, hasConsent: this.#agreed.has(name) };
    try {
      return await readSecret(name, spec.secrets[name]!, context);
    } catch (error) {
      throw error instanceof GbuildError ? await this.#locate(name, error) : error;
    }
  }

  async #locate(name: string, error: GbuildError): Promise<GbuildError> {
    if (error.code !== 'secret-invalid') return error;
    const place = (await locateSecrets(this.#session))(name);
    if (place === undefined) return error;
    const { message, suggestions, facts } = error;
    const at = `${this.#session.specFile}:${place.line}:${place.column}`;
    return new GbuildError(error.code, `${at}  ${message}`, { suggestions, facts: { ...facts, ...place } });
  }
}
