import { posix } from 'node:path';
import { identifyCode, mostMachineBytes, runsOn } from '../oci/layer/machine-code.ts';
import { readElf } from './elf.ts';
import { type FoundFile, type ImageFiles, isLostFile, mayExecute } from './image-files.ts';
import { readImageUser } from './image-user.ts';
import { findScriptFaults } from './script-faults.ts';
import { findMissingLibraries } from './shared-libraries.ts';
import { describeLost, type ImageStart, type StartContext, type StartFault } from './start-fault.ts';
import { unwrapCommand, type WrappedCommand } from './wrapped-command.ts';

/** PATH that an engine gives to an image without one. */
const usualPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** Limit of the kernel: a script may begin with another script's path. */
const mostInterpreters = 4;

/**
 * Finds what an image lacks to start: its program, that program's interpreter and libraries, a script in the command.
 * Empty where it starts, or where its files leave it open. Pure, except for reading a few files.
 */
export function findStartFaults(files: ImageFiles, start: ImageStart): StartFault[] {
  const as = readImageUser(files, start.user);
  if (as === undefined)
    return [{ kind: 'other', name: start.user, what: `no user or group of the image is called ${start.user}` }];
  const workdir = files.find(start.workdir);
  // An engine makes a missing folder.
  if (!isLostFile(workdir) && workdir.type !== 'directory')
    return [{ kind: 'other', name: start.workdir, what: `its folder to work in, ${start.workdir}, is a file` }];
  return start.words.length === 0 ? [] : findCommandFaults(start.words, { ...start, files, as });
}

/** Returns the command that finally starts, as far as its words show: behind `env`, a small init and `sh -c`. */
export function findInnerCommand(words: readonly string[]): readonly string[] {
  const wrapped = unwrapCommand(words);
  return wrapped === undefined ? words : findInnerCommand(knownWords(wrapped));
}

/**
 * Finds what the command names and the application lacks, whatever the base has: everything that is known before an
 * image is made.
 */
export function findNamedFaults(files: ImageFiles, start: ImageStart): StartFault[] {
  const as = readImageUser(files, start.user) ?? { uid: 0, gids: new Set() };
  return findScriptFaults(findInnerCommand(start.words), { ...start, files, as });
}

function findCommandFaults(words: readonly string[], context: StartContext): StartFault[] {
  const found = findProgram(words[0] ?? '', context);
  if ('fault' in found) return [found.fault];
  const faults = findFileFaults(found.file, context);
  if (faults.length > 0) return faults;
  const wrapped = unwrapCommand(words);
  if (wrapped === undefined) return findScriptFaults(words, context);
  return findCommandFaults(knownWords(wrapped), context);
}

/** Returns the words of a shell before the first one with a variable. */
function knownWords({ words, isOfShell }: WrappedCommand): string[] {
  const known = isOfShell ? words.findIndex((word) => word.includes('$')) : -1;
  return known === -1 ? words : words.slice(0, known);
}

type FoundProgram = { file: FoundFile } | { fault: StartFault };

/** Finds a program: by PATH without a slash, else from the working folder. */
function findProgram(name: string, context: StartContext): FoundProgram {
  const { files, as, workdir, env } = context;
  if (name.includes('/')) {
    const found = files.find(name, { from: workdir, user: as });
    return isLostFile(found)
      ? { fault: describeLost('its program', name, found, context) }
      : judgeProgram(found, context);
  }
  const folders = (env.PATH ?? usualPath).split(':').map((folder) => (folder === '' ? '.' : folder));
  let refused: StartFault | undefined;
  for (const folder of folders) {
    const found = files.find(`${folder}/${name}`, { from: workdir, user: as });
    if (isLostFile(found)) {
      const isTheLink = found.link !== undefined && posix.basename(found.link.path) === name;
      if (isTheLink) refused ??= describeLost('its program', found.link!.path, found, context);
      continue;
    }
    const judged = judgeProgram(found, context);
    if ('file' in judged) return judged;
    refused ??= judged.fault;
  }
  if (refused !== undefined) return { fault: refused };
  const what = `its program ${name} is in no folder of its PATH (${folders.join(':')})`;
  return { fault: { kind: 'program', name, what } };
}

function judgeProgram(file: FoundFile, { as, user }: StartContext): FoundProgram {
  const { path: name, type } = file;
  const refuse = (what: string): { fault: StartFault } => ({
    fault: { kind: 'other', name, what: `its program ${name} ${what}` },
  });
  if (type !== 'file') return refuse(type === 'directory' ? 'is a folder' : 'is not a file');
  if (mayExecute(file, as)) return { file };
  const { fault } = refuse(`is not executable${as.uid === 0 ? '' : ` for the user ${user}`}`);
  return { fault: { ...fault, mend: 'mode' } };
}

/** Checks what the kernel and the loader require of an executable file. */
function findFileFaults(file: FoundFile, context: StartContext, depth = 0): StartFault[] {
  const start = file.open().read(0, mostMachineBytes);
  const refuse = (what: string): StartFault[] => [{ kind: 'other', name: file.path, what: `${file.path} ${what}` }];
  if (start.toString('latin1', 0, 2) === '#!') return findInterpreterFaults(file, start, context, depth);
  const code = identifyCode(start);
  if (code === undefined) {
    if (start.length >= 4 && start.readUInt32BE(0) === 0x7f45_4c46) return [];
    return refuse(start.length === 0 ? 'is empty' : 'is neither machine code nor a script that begins with #!');
  }
  if (!isRunnable(code, context.platform))
    return refuse(
      `is machine code for ${code.format === 'ELF' ? code.machine : `${code.format} (${code.machine})`}, and the image is for ${context.platform}`,
    );
  return findLoaderFaults(file, context);
}

/** Machines that also run the code of older ones. */
const alsoRuns: Record<string, string> = { amd64: 'linux/386', arm64: 'linux/arm' };

function isRunnable(code: Parameters<typeof runsOn>[0], platform: string): boolean {
  const older = alsoRuns[platform.split('/')[1] ?? ''];
  return runsOn(code, platform) || (older !== undefined && runsOn(code, older)) || !isKnown(platform);
}

function isKnown(platform: string): boolean {
  return /^linux\/(?:386|amd64|arm|arm64|loong64|mips64le|ppc64le|riscv64|s390x)\b/.test(platform);
}

function findLoaderFaults(file: FoundFile, context: StartContext): StartFault[] {
  const { files, as, env, workdir } = context;
  const elf = readElf(file.open());
  if (elf?.interpreter === undefined) return [];
  const loader = files.find(elf.interpreter, { from: workdir, user: as });
  if (isLostFile(loader)) return [describeLost(`the loader of ${file.path}`, elf.interpreter, loader, context)];
  const libraryPath = (env.LD_LIBRARY_PATH ?? '').split(':').filter(Boolean);
  return findMissingLibraries(files, file, elf, libraryPath).map(({ name, neededBy }) => ({
    kind: 'library',
    name,
    what: `the library ${name}, which ${neededBy} needs, is in no folder that its loader looks in`,
  }));
}

/** Finds faults of `#!/usr/bin/env node`: the kernel starts the first word, and `env` the rest. */
function findInterpreterFaults(file: FoundFile, start: Buffer, context: StartContext, depth: number): StartFault[] {
  const line = /^#![ \t]*([^\n]*)/.exec(start.toString('utf8'))?.[1] ?? '';
  const [, path = '', argument = ''] = /^(\S+)[ \t]*(.*?)\s*$/.exec(line) ?? [];
  const refuse = (what: string): StartFault[] => [
    { kind: 'other', name: file.path, what: `the first line of ${file.path} ${what}` },
  ];
  if (line.endsWith('\r')) {
    const what = 'ends with a carriage return, as on Windows, so its interpreter is not found';
    return refuse(what).map((fault) => ({ ...fault, mend: 'line-end' }));
  }
  if (path === '') return refuse('names no interpreter');
  if (depth >= mostInterpreters) return [];
  const found = context.files.find(path, { from: context.workdir, user: context.as });
  if (isLostFile(found)) return [describeLost(`the interpreter of ${file.path}`, path, found, context)];
  if (found.type !== 'file' || !mayExecute(found, context.as)) return refuse(`names ${path}, which is not executable`);
  const faults = findFileFaults(found, context, depth + 1);
  const wrapped = posix.basename(path) === 'env' ? unwrapCommand([path, ...splitArgument(argument)]) : undefined;
  if (faults.length > 0 || wrapped === undefined) return faults;
  const program = findProgram(wrapped.words[0] ?? '', context);
  if ('file' in program) return findFileFaults(program.file, context, depth + 1);
  const { fault } = program;
  return [
    { ...fault, what: fault.what.replace('its program', `the interpreter of ${file.path},`).replace(' is ', ', is ') },
  ];
}

/** Splits the argument: the kernel passes all of it as one word; `-S` splits it. */
function splitArgument(argument: string): string[] {
  const [, rest] = /^-S\s*(.*)$/.exec(argument) ?? [];
  return rest === undefined ? [argument] : ['-S', rest];
}
