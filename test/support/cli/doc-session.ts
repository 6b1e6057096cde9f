import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Cli, commitAll, git } from './cli.ts';
import type { DocCommand, DocSetting } from './doc-pages.ts';

/** Result of a page's command. */
export interface DocResult {
  exitCode: number;
  output: string[];
}

/** Shell of a reader: a copy of the example below their home, `gbuild` on PATH. */
export interface DocSession {
  /**
   * Runs the commands one after the other in one shell that starts in the copy; `$?` is that of the previous command.
   */
  run(commands: string[]): Promise<DocResult[]>;
  /** Replaces the example's gbuild.yml by the page's own. */
  useSpec(text: string): void;
  /** Lets registry.example.com in gbuild.yml and in commands mean this registry. */
  useRegistry(host: string): void;
  /** Returns text without the parts that differ between machines and runs. */
  plain(text: string): string;
}

/** Registry as the pages show it; without `useRegistry` nothing answers there. */
const shownRegistry = 'registry.example.com';

/** Files from which tools and gbuild take a repository's name. */
const namedIn = ['gbuild.yml', 'package.json', 'package-lock.json', 'pom.xml', 'build.sbt'];

/** Opens a session. The engine is shared, so the example and its image have another name there than on the pages. */
export function openDocSession(
  cli: Cli,
  engine: string,
  { imageName, example, isFresh }: Omit<DocSetting, 'tier' | 'hasRegistry'> & { imageName: string },
): DocSession {
  const home = join(cli.dir, 'home');
  const rootDir = join(home, imageName);
  const from = fileURLToPath(new URL(`../../../examples/${example}`, import.meta.url));
  const made = /^\/(node_modules|dist|target|vendor\/bundle|\.bundle)(\/|$)/;
  cpSync(from, rootDir, { recursive: true, filter: (file) => !made.test(file.slice(from.length)) });
  const rename = (file: string) => {
    const text = readFileSync(join(rootDir, file), 'utf8');
    writeFileSync(join(rootDir, file), text.replaceAll(example, imageName));
  };
  const useSpec = (text: string) =>
    writeFileSync(join(rootDir, 'gbuild.yml'), text.replace(/^name: .*$/m, `name: ${imageName}`));
  for (const file of namedIn) if (existsSync(join(rootDir, file))) rename(file);
  if (isFresh) rmSync(join(rootDir, 'gbuild.yml'));
  git(rootDir, 'init', '-q', '-b', 'main');
  commitAll(rootDir, 'The example as it came');
  const binDir = join(cli.dir, 'bin');
  mkdirSync(binDir, { recursive: true });
  writeFileSync(join(binDir, 'gbuild'), `#!/bin/sh\nexec '${process.execPath}' '${cli.bin}' "$@"\n`);
  chmodSync(join(binDir, 'gbuild'), 0o755);
  const env = { ...reader, PATH: `${binDir}:${process.env.PATH}` };
  const places: [string, string][] = [
    [imageName, example],
    [home, '/home/ada'],
    [dirname(cli.stateDir), '/home/ada/.local/state'],
    [engine, 'unix:///var/run/docker.sock'],
  ];
  let registry = shownRegistry;
  return {
    useSpec,
    useRegistry: (host) => {
      registry = host;
      places.push([host, shownRegistry]);
      const file = join(rootDir, 'gbuild.yml');
      writeFileSync(file, readFileSync(file, 'utf8').replaceAll(shownRegistry, host));
    },
    run: async (commands) => {
      const script = join(cli.dir, 'session.sh');
      const real = (command: string) =>
        command.replaceAll(`${example}:`, `${imageName}:`).replaceAll(shownRegistry, registry);
      writeFileSync(script, formatScript(commands.map(real)));
      // The rig's clean environment is a reader's; a shell takes the place of Node.
      const installed = { node: '/bin/bash', bin: script };
      const { stdout } = await cli.run([], { cwd: rootDir, env, installed });
      return parseTranscript(stdout);
    },
    plain: (text) => normalise(places.reduce((known, [real, shown]) => known.replaceAll(real, shown), text)),
  };
}

/**
 * Describes the difference between a console block and the real output; undefined where `...` and normalised text allow
 * it.
 */
export function compareOutput(
  { command, output, line }: DocCommand,
  actual: string[],
  plain: DocSession['plain'],
): string | undefined {
  const expected = output
    .map((each) => (each === '...' ? '[\\s\\S]*?' : `${escapeForPattern(plain(each))}\n`))
    .join('');
  const printed = actual.map((each) => `${plain(each)}\n`).join('');
  if (new RegExp(`^${expected}$`).test(printed)) return undefined;
  return `line ${line}: $ ${command}\nthe page says:\n${output.join('\n')}\nit printed:\n${actual.join('\n')}`;
}

/** Variables for git, which the pages call like a reader with a configuration. */
const reader: Record<string, string> = Object.fromEntries(
  ['AUTHOR', 'COMMITTER'].flatMap((who) => [
    [`GIT_${who}_NAME`, 'Ada'],
    [`GIT_${who}_EMAIL`, 'ada@example.org'],
    [`GIT_${who}_DATE`, '2024-05-06T07:08:09Z'],
  ]),
);

const mark = '\u001e';

function formatScript(commands: string[]): string {
  const runs = commands.map((command) => `(exit $code)\n${command}\ncode=$?\nprintf '${mark}%d${mark}' "$code"\n`);
  return `exec 2>&1\ncode=0\n${runs.join('')}`;
}

function parseTranscript(text: string): DocResult[] {
  const parts = text.split(mark);
  const results: DocResult[] = [];
  for (let index = 0; index + 1 < parts.length; index += 2)
    results.push({ output: linesOf(parts[index]!), exitCode: Number(parts[index + 1]) });
  return results;
}

function linesOf(text: string): string[] {
  return text === '' ? [] : text.replace(/\n$/, '').split('\n');
}

function normalise(text: string): string {
  return text
    .replace(/\b\d{17}-[0-9a-f]{8}\b/g, 'RUN')
    .replace(/\b(\d+ min )?\d+(\.\d+)? ?m?s\b|\b\d+\.\d{5,}\b/g, 'TIME')
    .replace(/\b\d+ (second|minute)s?\b|\b\d+ h( \d+ min)?\b/g, 'TIME')
    .replace(/\b\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'THEN')
    .replace(/\b\d+(\.\d+)? (B|kB|MB|GB)\b/g, 'SIZE')
    .replace(/\b(22|24)\.\d+\.\d+\b/g, '$1.x')
    .replace(/\b(?=[a-f]*\d)[0-9a-f]{7,64}\b/g, 'HEX')
    .replace(/\b127\.0\.0\.1:(3[2-9]|[4-6]\d)\d{3}\b/g, '127.0.0.1:PORT')
    .replace(/gbuild-cache-(\w+)-\d+/g, 'gbuild-cache-$1-UID')
    .replace(/\((docker|podman) .*\), because .*/, '(ENGINE), because WHY')
    .trimEnd();
}

function escapeForPattern(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
