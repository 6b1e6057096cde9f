import { Config, flush, run } from '@oclif/core';
import { normalizeArgv } from '@oclif/core/help';
import { ownWords, printError, printJson } from './commands/base/print.ts';
import { asGbuildError, errorAsJson } from './commands/base/report-error.ts';
import { GbuildError } from './errors.ts';
import { suggest } from './spec/yaml/suggest.ts';

/**
 * Runs one command line and sets the exit code. Commands report their own failures (commands/base/base-command.ts).
 * This function reports failures before a command is found, and those that escape from timers and event handlers.
 */
export async function main(argv: string[], rootDir: string): Promise<void> {
  const fail = (thrown: unknown) => {
    const error = asGbuildError(thrown);
    if (ownWords(argv).includes('--json')) printJson(errorAsJson(error));
    else printError(error, argv);
    process.exitCode = error.exitCode;
  };
  process.on('uncaughtException', (thrown) => {
    fail(thrown);
    process.exit();
  });
  // Without it oclif asks passwd for a shell, and a uid without an entry (common in CI containers) ends the process.
  process.env.SHELL ||= '/bin/sh';
  try {
    const config = await Config.load({ root: rootDir });
    assertCommandExists(config, argv);
    await run(argv, config);
    await flush();
  } catch (thrown) {
    fail(thrown);
  }
}

function assertCommandExists(config: Config, argv: string[]): void {
  const [id] = normalizeArgv(config, argv);
  if (id === undefined || config.findCommand(id) || config.findTopic(id)) return;
  const names = config.commands.filter((command) => !command.hidden).map((command) => command.id.replaceAll(':', ' '));
  if (id.startsWith('-')) throw flagWithoutCommand(argv, names);
  const asked = id.replaceAll(':', ' ');
  const close = suggest(asked, names);
  throw new GbuildError('usage', `there is no command "${asked}"; the commands are ${names.join(', ')}`, {
    suggestions: close === undefined ? [`gbuild run ${asked}`, 'gbuild --help'] : [`gbuild ${close}`],
    facts: { commands: names },
  });
}

/**
 * bin/run.js has already put global flags after the command: a flag that is still first is another one, or there is no
 * command.
 */
function flagWithoutCommand(argv: string[], names: string[]): GbuildError {
  const at = argv.findIndex((word) => names.includes(word));
  if (at === -1)
    return new GbuildError('usage', `no command is given; the commands are ${names.join(', ')}`, {
      suggestions: ['gbuild --help'],
      facts: { commands: names },
    });
  const ordered = [argv[at], ...argv.slice(0, at), ...argv.slice(at + 1)].join(' ');
  return new GbuildError('usage', `${argv[0]} comes before the command ${argv[at]}; only global flags may`, {
    suggestions: [/^[\w\s.,:=/@+-]+$/.test(ordered) ? `gbuild ${ordered}` : `gbuild ${argv[at]} --help`],
  });
}
