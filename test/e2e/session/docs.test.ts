import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { openCli } from '../../support/cli/cli.ts';
import { describePages } from '../../support/cli/doc-suite.ts';

// The matrix tier has the tutorials whose tools take minutes: docs.matrix.test.ts.
describePages('standard');

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
