import { posix } from 'node:path';
import { hasClass, isOnClassPath, listNamedJars, openJar } from './find-class.ts';
import { type FoundFile, isLostFile, type Lost, mayRead } from './image-files.ts';
import { type JavaCommand, parseJavaCommand, splitClassPath } from './java-command.ts';
import { findNamedScript, listNamedFiles, type NamedFile, type NamedScript, nodeModule } from './named-script.ts';
import { describeLost, type StartContext, type StartFault } from './start-fault.ts';

/** Finds what a program's command line names and the image lacks: a script, files of options, a jar, a class. */
export function findScriptFaults(words: readonly string[], context: StartContext): StartFault[] {
  const java = parseJavaCommand(words);
  if (java !== undefined) return findJavaFaults(java, context);
  const script = findNamedScript(words);
  return [
    ...listNamedFiles(words).flatMap((named) => findNamedFault(named, context)),
    ...(script === undefined ? [] : findMissingScript(script, context)),
  ];
}

function findNamedFault({ option, value, isModule }: NamedFile, context: StartContext): StartFault[] {
  const { files, workdir, as } = context;
  const find = (path: string) => files.find(path, { from: workdir, user: as });
  if (!isModule) {
    const found = find(value);
    if (!isLostFile(found)) return judgeRead(`the file of ${option},`, found, context);
    return [{ ...describeLost(`the file of ${option}`, value, found, context), kind: 'settings' }];
  }
  if (/^\.{0,2}\//.test(value)) return findMissingScript({ path: value, ...nodeModule }, context);
  // Node's own modules with an address, and those of Plug'n'Play, are in other places.
  if (/^\w+:/.test(value) || context.env.NODE_PATH !== undefined || !isLostFile(find('.pnp.cjs'))) return [];
  const [, name = ''] = /^((?:@[^/]+\/)?[^/]+)/.exec(value) ?? [];
  const folders = listAncestors(posix.resolve('/', workdir)).map((folder) => posix.join(folder, 'node_modules', name));
  if (folders.some((folder) => !isLostFile(find(folder)))) return [];
  return [{ kind: 'module', name, what: `the module ${value}, which ${option} names, is in no node_modules` }];
}

/** Lists a folder and those above it. */
function listAncestors(folder: string): string[] {
  return folder === '/' ? ['/'] : [folder, ...listAncestors(posix.dirname(folder))];
}

function findMissingScript(script: NamedScript, context: StartContext): StartFault[] {
  const { files, workdir, as } = context;
  const find = (path: string) => files.find(path, { from: workdir, user: as });
  let first: FoundFile | Lost | undefined;
  for (const ending of ['', ...script.endings]) {
    const found = find(`${script.path}${ending}`);
    first ??= found;
    if (isLostFile(found)) continue;
    if (found.type === 'file') return judgeRead('the script', found, context);
    if (script.inFolder.some((name) => !isLostFile(find(`${found.path}/${name}`))))
      return findMainFaults(found, script, context);
  }
  if (first !== undefined && isLostFile(first)) return [describeLost('the script', script.path, first, context)];
  const name = posix.resolve(workdir, script.path);
  return [
    { kind: 'other', name, what: `the script ${name} is a folder without ${script.inFolder.join(', ') || 'a script'}` },
  ];
}

/** Finds faults of Node's start in a folder: `main` of its package.json, else its index. */
function findMainFaults({ path }: FoundFile, { endings }: NamedScript, context: StartContext): StartFault[] {
  const { files, as } = context;
  const text = files.readText(`${path}/package.json`);
  if (text === undefined) return [];
  const main = readMain(text) ?? 'index.js';
  const isThere = (name: string) => files.findFile(posix.resolve(path, name), { user: as }) !== undefined;
  const tried = ['', ...endings, ...endings.map((ending) => `/index${ending}`)].map((ending) => `${main}${ending}`);
  if ([...tried, ...endings.map((ending) => `index${ending}`)].some(isThere)) return [];
  return [describeLost('the script', main, { path, why: 'missing' }, { ...context, workdir: path })];
}

function readMain(text: string): string | undefined {
  try {
    const { main } = JSON.parse(text.replace(/^\uFEFF/, '')) as { main?: unknown };
    return typeof main === 'string' ? main : undefined;
  } catch {
    return undefined;
  }
}

function judgeRead(what: string, file: FoundFile, { as, user }: StartContext): StartFault[] {
  if (mayRead(file, as)) return [];
  return [{ kind: 'other', name: file.path, what: `${what} ${file.path} is not readable for the user ${user}` }];
}

function findJavaFaults(java: JavaCommand, context: StartContext): StartFault[] {
  const named = [...java.agents, ...(java.source === undefined ? [] : [java.source])];
  const faults = named.flatMap((path) => findMissingFile(path, context));
  if (faults.length > 0) return faults;
  if (java.jar !== undefined) return findJarFaults(java.jar, context);
  return java.mainClass === undefined ? [] : findClassFaults(java.mainClass, java, context);
}

function findMissingFile(path: string, context: StartContext): StartFault[] {
  const found = context.files.find(path, { from: context.workdir, user: context.as });
  return isLostFile(found) ? [describeLost('the file', path, found, context)] : [];
}

/** Finds faults of a jar: its manifest must name a class in it, or in a jar that it names. */
function findJarFaults(path: string, context: StartContext): StartFault[] {
  const { files, workdir } = context;
  const missing = findMissingFile(path, context).map((fault) => ({
    ...fault,
    what: fault.what.replace('the file', 'the jar'),
  }));
  const file = files.findFile(path, { from: workdir });
  if (file === undefined) return missing;
  const refuse = (what: string): StartFault[] => [
    { kind: 'other', name: file.path, what: `the jar ${file.path} ${what}` },
  ];
  const jar = openJar(file.open());
  if (jar === undefined) return refuse('is not a zip file');
  const main = jar.manifest['Main-Class'];
  if (main === undefined) return refuse('has no Main-Class in its manifest');
  if (hasClass(jar, `${main.replaceAll('.', '/')}.class`)) return [];
  const others = listNamedJars(jar, file.path);
  return isOnClassPath(files, main, others, workdir) === false
    ? refuse(`names ${main} as its Main-Class, which is neither in it nor in a jar of its Class-Path`)
    : [];
}

const ofTheJdk = /^(?:java|javax|jdk|sun|com\.sun)\./;

/** Finds a missing class; options in a variable may change the class path. */
function findClassFaults(
  name: string,
  { classPath }: JavaCommand,
  { files, workdir, env }: StartContext,
): StartFault[] {
  const isOpen = ['JDK_JAVA_OPTIONS', 'JAVA_TOOL_OPTIONS', '_JAVA_OPTIONS'].some((key) => env[key] !== undefined);
  if (isOpen || ofTheJdk.test(name)) return [];
  const path = classPath ?? splitClassPath(env.CLASSPATH ?? '.');
  if (isOnClassPath(files, name, path, workdir) !== false) return [];
  return [
    {
      kind: 'class',
      name,
      what: `the class ${name} is not on the class path (${shorten(path.join(':'))})`,
    },
  ];
}

function shorten(text: string): string {
  return text.length > 200 ? `${text.slice(0, 200)}...` : text;
}
