/**
 * Error codes with their exit codes, by who must act: the caller (2), the engine, registry or network (3), a time limit
 * (4), or gbuild's authors (70). `task-failed` and `interrupted` have their own exit codes.
 */
export const exitCodes = {
  usage: 2,
  'spec-invalid': 2,
  'spec-missing': 2,
  'config-invalid': 2,
  'secret-invalid': 2,
  'trust-missing': 2,
  'lock-invalid': 2,
  'lock-stale': 2,
  'toolchain-unknown': 2,
  'dockerfile-failed': 2,
  'workspace-dirty': 2,
  'workspace-no-revision': 2,
  'workspace-unreadable': 2,
  'workspace-changed': 2,
  'service-failed': 2,
  'output-missing': 2,
  'release-refused': 2,
  'output-refused': 2,
  'delivery-refused': 2,
  'template-invalid': 2,
  'key-invalid': 2,
  'signature-invalid': 2,
  'engine-unreachable': 3,
  'engine-failed': 3,
  'engine-blind': 3,
  'port-refused': 3,
  'image-missing': 3,
  'toolchain-failed': 3,
  'network-failed': 3,
  'registry-failed': 3,
  'registry-denied': 3,
  'store-failed': 3,
  'disk-failed': 3,
  'timed-out': 4,
  'smoke-failed': 1,
  'task-failed': 1,
  interrupted: 130,
  bug: 70,
} as const;

export type ErrorCode = keyof typeof exitCodes;

export interface ErrorDetails {
  /** Commands or sentences for the next step, most useful first. */
  suggestions?: string[];
  cause?: unknown;
  /** Only for `task-failed` and `smoke-failed` (the child's own code), and `interrupted` (128 + signal number). */
  exitCode?: number;
  /** Facts for `--json`: paths, digests, the list of mistakes. Never a credential. */
  facts?: object;
}

/**
 * Single error class of gbuild: what happened and where (`message`), what to type next (`suggestions`), who must act
 * (`exitCode`). Code that must distinguish failures compares `code`, or tests for a subclass with typed fields.
 */
export class GbuildError extends Error {
  override readonly name = 'GbuildError';
  readonly code: ErrorCode;
  readonly exitCode: number;
  readonly suggestions: string[];
  /** Facts for printing and passing on only. The type shows no keys, so that no code branches on them. */
  readonly facts: object;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.exitCode = details.exitCode ?? exitCodes[code];
    this.suggestions = details.suggestions ?? [];
    this.facts = details.facts ?? {};
  }
}

/** Whether the engine, a registry, the network or a disk must act: another executor or source may succeed. */
export function isInfrastructureFailure(thrown: unknown): thrown is GbuildError {
  return thrown instanceof GbuildError && thrown.exitCode === 3;
}

/** Whether a registry failed, or denied a request. */
export function isRegistryFailure(thrown: unknown): thrown is GbuildError {
  return thrown instanceof GbuildError && (thrown.code === 'registry-failed' || thrown.code === 'registry-denied');
}

/** Returns the text of anything thrown, in one line, without a stack. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

const diskTroubles: Record<string, string> = {
  ENOSPC: 'there is no room left on the disk',
  EDQUOT: "the disk's quota is used up",
  EROFS: 'the disk is read-only',
  EIO: 'the disk has an error',
  EMFILE: 'too many files are open',
  ENFILE: 'too many files are open',
};

/** Describes a failure of this machine's disk, with the path; undefined for anything else. */
export function diskError(thrown: unknown, hostDir?: string): GbuildError | undefined {
  const { code, path } = thrown instanceof Error ? (thrown as NodeJS.ErrnoException) : {};
  const trouble = diskTroubles[code ?? ''];
  if (trouble === undefined) return undefined;
  const place = hostDir ?? path;
  return new GbuildError('disk-failed', `${trouble}${place === undefined ? '' : `: ${place}`} (${messageOf(thrown)})`, {
    cause: thrown,
    suggestions: [`df -h${place === undefined ? '' : ` '${place.replaceAll("'", "'\\''")}'`}`, 'gbuild clean'],
    facts: { code, ...(place !== undefined && { path: place }) },
  });
}
