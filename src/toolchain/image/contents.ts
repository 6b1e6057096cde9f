import { createHash } from 'node:crypto';
import { bareContainer } from '../../engine/engine.ts';
import type { ToolchainContext } from './toolchain-context.ts';

const statusFile = '/var/lib/dpkg/status';

/** Reads the Debian packages of an image by name, from dpkg's own record; runs nothing. */
export async function readPackages({ engine }: ToolchainContext, reference: string): Promise<Record<string, string>> {
  const files = await engine.readImageFiles(reference, [statusFile]);
  return parsePackages(files.get(statusFile)?.toString() ?? '');
}

/** Parses the installed packages of a dpkg status file (deb-control(5)): name to version. */
export function parsePackages(status: string): Record<string, string> {
  const packages: [string, string][] = [];
  for (const paragraph of status.split(/\n\n+/)) {
    const field = (name: string) => new RegExp(`^${name}: *(.*)$`, 'm').exec(paragraph)?.[1]?.trim();
    const [name, version] = [field('Package'), field('Version')];
    if (name !== undefined && version !== undefined && field('Status')?.endsWith(' installed'))
      packages.push([name, version]);
  }
  return Object.fromEntries(packages.sort(([left], [right]) => (left < right ? -1 : 1)));
}

/** Computes the digest of a list of packages: of its sorted lines `name=version`. */
export function packagesDigest(packages: Record<string, string>): `sha256:${string}` {
  const lines = Object.entries(packages).map(([name, version]) => `${name}=${version}\n`);
  return `sha256:${createHash('sha256').update(lines.sort().join('')).digest('hex')}`;
}

/**
 * Asks the tools of an image for their versions, in one container without a network. A tool that prints no version is
 * left out.
 */
export async function readTools(
  { engine, stop }: ToolchainContext,
  reference: string,
  commands: Record<string, string>,
): Promise<Record<string, string>> {
  const names = Object.keys(commands);
  if (names.length === 0) return {};
  const script = names.map((name) => `echo '${mark}${name}'; (${commands[name]}) 2>&1 | head -n 5`).join('\n');
  const chunks: Buffer[] = [];
  const container = { ...bareContainer(reference, [script]), entrypoint: ['/bin/sh', '-c'], env: { HOME: '/tmp' } };
  await engine.runContainer(container, { onOutput: (_, chunk) => void chunks.push(chunk), stop });
  return parseTools(Buffer.concat(chunks).toString());
}

const mark = '@tool ';

/** Parses the first version after each mark. */
function parseTools(output: string): Record<string, string> {
  const sections = output.split(mark).slice(1);
  const found = sections.map((section) => {
    const [name = '', ...lines] = section.split('\n');
    return [name.trim(), /\d+(?:\.\d+)+[\w.+-]*/.exec(lines.join('\n'))?.[0]] as const;
  });
  return Object.fromEntries(found.filter((pair): pair is [string, string] => pair[1] !== undefined));
}

/** Describes changes of packages or tools, a line each: `libssl3 3.0.15 -> 3.0.16`, `+ jq 1.7`, `- zip 3.0`. */
export function describeChanges(before: Record<string, string>, after: Record<string, string>): string[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
  return names.flatMap((name) => {
    const [old, now] = [before[name], after[name]];
    if (old === now) return [];
    if (old === undefined) return [`+ ${name} ${now}`];
    return [now === undefined ? `- ${name} ${old}` : `${name} ${old} -> ${now}`];
  });
}
