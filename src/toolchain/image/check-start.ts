import { bareContainer } from '../../engine/engine.ts';
import { GbuildError } from '../../errors.ts';
import type { ToolchainContext } from './toolchain-context.ts';

const keptLines = 5;

/**
 * Runs a command in an image as the image's own user, without a network. Throws 'toolchain-failed' with its last lines
 * where it fails: an image that cannot start its own program is useless.
 */
export async function checkStart(
  { engine, stop }: ToolchainContext,
  reference: string,
  { title, command }: { title: string; command: string[] },
): Promise<void> {
  const chunks: Buffer[] = [];
  const container = { ...bareContainer(reference, command), user: '' };
  const onOutput = (_stream: string, chunk: Buffer) => void chunks.push(chunk);
  const { exitCode, startError } = await engine.runContainer(container, { onOutput, stop });
  if (exitCode === 0) return;
  const log = (startError ?? Buffer.concat(chunks).toString()).trim().split('\n').slice(-keptLines);
  throw new GbuildError(
    'toolchain-failed',
    `${title}: "${command.join(' ')}" cannot start in it (exit code ${exitCode})\n  ${log.join('\n  ')}`,
    {
      suggestions: ['name the Debian package that has what is missing under "runtimePackages" of toolchain.yml'],
      facts: { exitCode, log },
    },
  );
}
