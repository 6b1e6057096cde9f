import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { removeRepository } from '../engines/engine-images.ts';
import { installPackages, isInstalled } from '../engines/test-engine.ts';
import { startRegistry, type TestRegistry } from '../registry/registry.ts';
import { openCli } from './cli.ts';
import { listBlocks, listCommands, listPages, readSetting } from './doc-pages.ts';
import { compareOutput, openDocSession } from './doc-session.ts';

/**
 * Runs the console blocks of the pages of one tier. A page is one session: later blocks see the effects of earlier
 * ones.
 */
export function describePages(tier: 'standard' | 'matrix'): void {
  const engine = inject('engineHost');
  const pages = listPages()
    .map((page) => ({
      page,
      setting: readSetting(page),
      blocks: listBlocks(page).filter(({ language, notRun }) => language === 'console' && !notRun),
      spec: listBlocks(page).find(({ kind }) => kind === 'here')?.text,
    }))
    .filter(({ blocks, setting }) => blocks.length > 0 && setting.tier === tier);

  // The tutorials send requests to the images that they start.
  beforeAll(async () => {
    if (!isInstalled('curl')) await installPackages(['curl']);
  });

  describe.each(pages)('the commands of $page', ({ page, setting, blocks, spec }) => {
    const imageName = `docs-${page.toLowerCase().replaceAll(/\W+/g, '-')}-${process.pid}`;
    const cli = openCli({ engine });
    const session = openDocSession(cli, engine, { imageName, ...setting });
    if (spec !== undefined) session.useSpec(spec);
    let registry: TestRegistry | undefined;
    beforeAll(async () => {
      if (!setting.hasRegistry) return;
      registry = await startRegistry();
      session.useRegistry(registry.host);
    });
    afterAll(async () => {
      await registry?.[Symbol.asyncDispose]();
      await removeRepository(engine, imageName);
      cli[Symbol.dispose]();
    });

    // The first command of a page may have to make the toolchain.
    test.each(blocks)('at line $line do and print what the page says', { timeout: 600_000 }, async (block) => {
      const commands = listCommands(block);
      const results = await session.run(commands.map(({ command }) => command));
      const wrong = commands.flatMap((command, index) => {
        const { output, exitCode } = results[index] ?? { output: ['(not reached)'], exitCode: -1 };
        const isShown = commands[index + 1]?.command === 'echo $?';
        const failed = exitCode === 0 || isShown ? [] : [`line ${command.line}: exit code ${exitCode} is not shown`];
        return [...failed, compareOutput(command, output, session.plain) ?? []].flat();
      });
      expect(wrong).toEqual([]);
    });
  });
}
