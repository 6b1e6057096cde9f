import { readFileSync } from 'node:fs';
import { afterAll, describe, expect, inject, test } from 'vitest';
import { openCli } from '../../support/cli/cli.ts';
import { listBlocks, listCommands, listPages } from '../../support/cli/doc-pages.ts';
import { compareOutput, openDocSession } from '../../support/cli/doc-session.ts';
import { removeRepository } from '../../support/engines/engine-images.ts';

const engine = inject('engineHost');
const pages = listPages()
  .map((page) => ({
    page,
    blocks: listBlocks(page).filter(({ language, notRun }) => language === 'console' && !notRun),
    spec: listBlocks(page).find(({ kind }) => kind === 'here')?.text,
  }))
  .filter(({ blocks }) => blocks.length > 0);

// A page is one session: what an earlier block did is there in a later one.
describe.each(pages)('the commands of $page', ({ page, blocks, spec }) => {
  const imageName = `docs-${page.toLowerCase().replaceAll(/\W+/g, '-')}-${process.pid}`;
  const cli = openCli({ engine });
  const session = openDocSession(cli, engine, imageName);
  if (spec !== undefined) session.useSpec(spec);
  afterAll(async () => {
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

/** docs/commands.md is written by this test (vitest --update) and by nobody else. */
describe('the help in docs/commands.md', () => {
  const manifest = new URL('../../../oclif.manifest.json', import.meta.url);
  const names = Object.keys((JSON.parse(readFileSync(manifest, 'utf8')) as { commands: object }).commands).sort();

  test('is what --help prints, of every command', async () => {
    using cli = openCli();
    const help = async (...words: string[]) => (await cli.run([...words, '--help'])).stdout.trimEnd();
    const sections = [];
    for (const name of names.filter((each) => each !== 'help'))
      sections.push(`## gbuild ${name.replace(':', ' ')}\n\n\`\`\`text\n${await help(...name.split(':'))}\n\`\`\`\n`);
    const text = `# Commands\n\n${introduction}\n\`\`\`text\n${await help()}\n\`\`\`\n\n${sections.join('\n')}`;
    await expect(text).toMatchFileSnapshot('../../../docs/commands.md');
  });
});

const introduction = `What \`gbuild COMMAND --help\` prints, word by word; a test keeps this page equal to it. Global flags go with every command
but \`help\`, which has \`--json\` alone. [running.md](running.md), [releases.md](releases.md) and [engines.md](engines.md) say what
the commands do; [errors.md](errors.md) lists exit codes.
`;
