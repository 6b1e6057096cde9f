import { type ChildProcess, type ChildProcessWithoutNullStreams, spawn, spawnSync } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { explainSsh, lastLine } from './failures.ts';
import { makeSshFolder } from './folder.ts';
import { SshForwards } from './forwards.ts';
import { parseSettings, planSettings, planSsh, type SshPlan } from './plan.ts';
import { type SshEnd, SshStream } from './stream.ts';
import type { SshTarget } from './target.ts';

/** Access to an engine through the user's own ssh. */
export interface SshAccess {
  target: SshTarget;
  /** Environment of the caller, with their agent, home and PATH. */
  env: NodeJS.ProcessEnv;
  /** Whether a person can type a password or compare a fingerprint. */
  mayAsk: boolean;
  /** Whether all streams share one connection; ssh cannot share on Windows. */
  canShare: boolean;
}

/** Milliseconds for a connection without a person's input. */
const loginTimeout = 25_000;

/** Connection to the engine after the login. */
interface Opened {
  plan: SshPlan;
  /** Host name as the user's configuration spells it. */
  hostName: string;
  /** Returns false when gbuild's own connection is gone. */
  isAlive: () => boolean;
  close: () => void;
}

/** One ssh connection with any number of streams. The first stream starts it, and `close` ends it. */
export class SshConnection {
  readonly #access: SshAccess;
  readonly #describe: (sentence: string, suggestions: string[]) => Error;
  readonly #forwards = new SshForwards();
  #opened: Promise<Opened> | undefined;
  #opening: ChildProcess | undefined;
  #wasOpen = false;
  #closed = false;

  /** Prepares the connection. `describe` makes an error of a sentence and of suggestions. */
  constructor(access: SshAccess, describe: (sentence: string, suggestions: string[]) => Error) {
    this.#access = access;
    this.#describe = describe;
  }

  /**
   * Opens a stream to the engine. Throws the error that `describe` makes of ssh's failure. The stream fails in the same
   * way when the other end has no engine.
   */
  async open(): Promise<Duplex> {
    const { plan } = await this.#share();
    // The process has its own group: the terminal's Ctrl-C is for gbuild, which still needs the engine to clean up.
    const child: ChildProcessWithoutNullStreams = spawn('ssh', plan.channel, {
      env: this.#access.env,
      detached: this.#access.canShare,
    });
    return new SshStream(child, (end, received) => this.#explain(end, received));
  }

  /**
   * Opens a port of 127.0.0.1 here that forwards to one of 127.0.0.1 there, over the same connection. Undefined where
   * no connection is shared.
   */
  async forward(remotePort: number, wanted?: number): Promise<number | undefined> {
    const { plan } = await this.#share();
    return plan.forward && this.#forwards.add(this.#succeeds, plan.forward, remotePort, wanted);
  }

  async hostName(): Promise<string> {
    return (await this.#share()).hostName;
  }

  close(): void {
    this.#closed = true;
    this.#opening?.kill();
    this.#opened?.then(
      ({ close }) => close(),
      () => {
        // The forward never was open.
      },
    );
  }

  /**
   * Returns the shared connection, or a new one where it was lost. A first connection that fails is not tried again,
   * because a person would have to type the same password twice. Later connections ask nothing.
   */
  async #share(): Promise<Opened> {
    const isNew = this.#opened === undefined;
    const current = this.#opened ?? this.#connect();
    this.#opened = current;
    const opened = await current.catch((thrown: unknown) => {
      if (this.#wasOpen && this.#opened === current) this.#opened = undefined;
      throw thrown;
    });
    this.#wasOpen = true;
    if (isNew || opened.isAlive()) return opened;
    opened.close();
    if (this.#opened === current) this.#opened = undefined;
    return this.#share();
  }

  async #connect(): Promise<Opened> {
    const { target, env, canShare } = this.#access;
    const settings = parseSettings(await this.#run(planSettings(target)));
    const dir = canShare ? makeSshFolder() : undefined;
    const controlPath = dir === undefined ? undefined : join(dir, 's');
    const plan = planSsh({ target, settings, controlPath, mayAsk: this.#mayAsk });
    const isOwn = plan.exit !== undefined && controlPath !== undefined;
    const close = () => {
      const isOpen = plan.exit !== undefined && isOwn && existsSync(controlPath);
      const ends = plan.exit === undefined ? this.#forwards.planEnd(plan.forward) : isOpen ? [plan.exit] : [];
      for (const end of ends) spawnSync('ssh', end, { env, stdio: 'ignore', timeout: 3_000 });
      if (dir !== undefined) rmSync(dir, { recursive: true, force: true });
    };
    try {
      if (this.#closed) throw new Error('it was closed before it was open');
      await this.#openMaster(plan);
      await this.#forwards.renew(this.#succeeds, plan.forward);
      const hostName = settings.get('hostname') ?? target.host;
      return { plan, hostName, isAlive: () => !isOwn || existsSync(controlPath), close };
    } catch (thrown) {
      close();
      throw thrown;
    }
  }

  get #mayAsk(): boolean {
    return this.#access.mayAsk && !this.#wasOpen;
  }

  async #openMaster({ master, check }: SshPlan): Promise<void> {
    if (master === undefined) return;
    if (check !== undefined && (await this.#end(check)).exitCode === 0) return;
    await this.#run(master);
  }

  readonly #succeeds = async (args: string[]): Promise<boolean> => (await this.#end(args)).exitCode === 0;

  /** Runs ssh and returns its stdout; throws where it failed. */
  async #run(args: string[]): Promise<string> {
    const { stdout, ...end } = await this.#end(args);
    if (end.exitCode !== 0) throw this.#explain(end, false);
    return stdout;
  }

  /**
   * Waits for an ssh process. A process that went to the background may keep its stderr open: its successful exit is
   * enough.
   */
  #end(args: string[]): Promise<SshEnd & { stdout: string }> {
    const stdio: ['ignore', 'pipe', 'pipe'] = ['ignore', 'pipe', 'pipe'];
    const child = spawn('ssh', args, { env: this.#access.env, stdio });
    // Replaces spawn's own limit: its timer continues where the program is missing, and keeps gbuild from ending.
    const limit = this.#mayAsk ? undefined : setTimeout(() => child.kill(), loginTimeout);
    this.#opening = child;
    const said = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const)
      child[name].setEncoding('utf8').on('data', (text: string) => {
        said[name] += text;
      });
    return new Promise<SshEnd & { stdout: string }>((resolve) => {
      const settle = (code: number | null) => resolve({ ...said, exitCode: code ?? undefined });
      child.once('error', ({ message }) => resolve({ ...said, exitCode: undefined, stderr: message }));
      child.once('close', settle);
      if (args.includes('-f'))
        child.once('exit', (code) => {
          if (code !== 0) return;
          for (const name of ['stdout', 'stderr'] as const) child[name].destroy();
          settle(code);
        });
    }).finally(() => clearTimeout(limit));
  }

  #explain(end: SshEnd, received: boolean): Error {
    if (received) return new Error(lastLine(end.stderr) || 'ssh lost the connection');
    const { sentence, suggestions } = explainSsh(end, this.#access.target);
    return this.#describe(sentence, suggestions);
  }
}
