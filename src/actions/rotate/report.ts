/** Outcome for one release that a channel holds. */
export interface RotatedRelease {
  name: string;
  version: string;
  /** Channels that held it when the rotation began. */
  channels: string[];
  /**
   * `current`: its base is that of today. `young`: its base is younger than asked for. `unknown`: nothing says what its
   * base is today. `due`: it would be rotated (--dry-run). `rotated`: a release on today's base is there.
   */
  state: 'current' | 'young' | 'unknown' | 'due' | 'rotated' | 'failed';
  /** Base of today. */
  base?: string;
  /** New release, or the one that an earlier rotation made. */
  next?: string;
  /** Whether this rotation made it. */
  made?: boolean;
  /** Number of bytes that were sent to the registry. */
  bytesSent?: number;
  /** Result for each channel. */
  moves: ChannelMove[];
  error?: { code: string; message: string; exitCode: number; suggestions: string[] };
}

/** Result for one channel. */
export interface ChannelMove {
  channel: string;
  /** Version that it holds now. */
  holds: string;
  /** Reason why it was not moved, and what to type. */
  waits?: { why: string; suggestions: string[] };
}

/** Result of `gbuild rotate --json`. */
export interface RotateReport {
  releases: RotatedRelease[];
}
