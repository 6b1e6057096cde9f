import { Flags } from '@oclif/core';
import type { OpenImageRequest } from '../../actions/inspect/open-image-request.ts';
import { BaseCommand, engineFlags } from './base-command.ts';
import type { EngineCommandFlags } from './engine-command.ts';
import { openStop } from './stop.ts';
import { newRunId } from './task-command.ts';

/** Flags of every command that reads images. */
export const imageFlags = {
  ...engineFlags,
  platform: Flags.string({
    helpValue: 'OS/ARCH',
    description: "which image of an index of several; by default this machine's platform",
  }),
};

/** Command for images in any place. */
export abstract class OpenImageCommand extends BaseCommand {
  /** Listens to signals during the work. */
  protected async withRequest<T>(
    flags: EngineCommandFlags & { platform?: string | undefined },
    work: (request: OpenImageRequest) => Promise<T>,
  ): Promise<T> {
    const host = this.readHost(flags);
    const progress = this.openProgress(flags, host);
    using stop = openStop((text) => progress.warn(text));
    const { platform } = flags;
    const context = { host, installDir: this.config.root };
    return await work({ ...context, progress, stop, choice: flags, runId: newRunId(), platform });
  }
}
