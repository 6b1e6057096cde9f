import type { AppContext } from '../../actions/session/context.ts';
import { openEngine } from '../../actions/session/open-engine.ts';
import type { Engine } from '../../engine/engine.ts';
import { escapeLine } from '../../escape.ts';
import type { Stop } from '../../host.ts';
import { BaseCommand } from './base-command.ts';
import { openStop } from './stop.ts';
import { newRunId } from './task-command.ts';

export interface EngineCommandFlags {
  directory?: string | undefined;
  quiet: boolean;
  verbose: boolean;
  host?: string | undefined;
  context?: string | undefined;
  machine?: string | undefined;
}

/** Context of a command that needs an engine, and perhaps no repository. */
export interface OpenEngine extends AppContext {
  engine: Engine;
  stop: Stop;
}

/** Command for objects on an engine. */
export abstract class EngineCommand extends BaseCommand {
  /** Opens the engine, listens to signals during the work, and closes what it opened. */
  protected async withEngine<T>(flags: EngineCommandFlags, work: (open: OpenEngine) => Promise<T>): Promise<T> {
    const host = this.readHost(flags);
    const progress = this.openProgress(flags, host);
    using stop = openStop((text) => progress.warn(text));
    const engine = await openEngine(host, flags, newRunId(), progress, stop);
    try {
      return await work({ host, installDir: this.config.root, engine, progress, stop });
    } finally {
      engine.close();
    }
  }
}

/** Formats rows in columns as wide as their widest cell; the first row is the heading. */
export function formatTable(table: string[][]): string {
  const rows = table.map((row) => row.map(escapeLine));
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length))) ?? [];
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
