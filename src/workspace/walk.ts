import { type Dirent, lstatSync, readdirSync, readlinkSync, type Stats } from 'node:fs';
import { join } from 'node:path';
import picomatch from 'picomatch';
import { GbuildError, messageOf } from '../errors.ts';
import type { Entry } from '../oci/tar/entry.ts';

export interface WalkOptions {
  /** Files and folders to start from, relative to the root; '.' is the root itself. */
  from: readonly string[];
  /** Globs of paths relative to the root; where given, only matching paths are taken. */
  include?: readonly string[];
  /** Globs of paths to leave out, with everything below them; they win over include. */
  exclude?: readonly string[];
  /** Called for each path that the globs leave; a folder that is not kept is not entered. */
  keep?: (path: string, isDirectory: boolean) => boolean;
  /** Called for each file that no image can hold, which is skipped: sockets, pipes, devices. */
  onSkipped?: (path: string, kind: string) => void;
}

/**
 * Lists files, links and folders below the root, sorted within each folder. Links are kept as links, never followed,
 * dangling or not; empty folders are kept. Throws `output-missing` for a missing start, `workspace-unreadable` for
 * unreadable folders and for names that are not UTF-8.
 */
export function walkFiles(rootDir: string, options: WalkOptions): Entry[] {
  const walk = new Walk(rootDir, options);
  for (const start of options.from) walk.start(start);
  return walk.entries;
}

class Walk {
  readonly entries: Entry[] = [];
  readonly #rootDir: string;
  readonly #options: WalkOptions;
  readonly #isIncluded: ((path: string) => boolean) | undefined;
  readonly #isExcluded: (path: string) => boolean;

  constructor(rootDir: string, options: WalkOptions) {
    this.#rootDir = rootDir;
    this.#options = options;
    this.#isIncluded = options.include && picomatch([...options.include], { dot: true });
    this.#isExcluded = options.exclude?.length ? picomatch([...options.exclude], { dot: true }) : () => false;
  }

  start(path: string): void {
    const clean = path
      .split('/')
      .filter((part) => part !== '' && part !== '.')
      .join('/');
    if (clean === '') {
      this.#list('');
      return;
    }
    const hostPath = join(this.#rootDir, clean);
    const stat = readStat(hostPath);
    if (stat.isDirectory()) this.#visitFolder(clean);
    else this.#visitOther(clean, stat);
  }

  #list(folder: string): void {
    const hostDir = folder === '' ? this.#rootDir : `${this.#rootDir}/${folder}`;
    const children = readFrom(hostDir, () => readdirSync(hostDir, { withFileTypes: true }));
    children.sort((a, b) => (a.name < b.name ? -1 : 1));
    for (const child of children) {
      if (child.name.includes('\ufffd')) checkNames(hostDir);
      const path = folder === '' ? child.name : `${folder}/${child.name}`;
      if (child.isDirectory()) this.#visitFolder(path);
      else this.#visitOther(path, child);
    }
  }

  #visitFolder(path: string): void {
    if (this.#isExcluded(path) || this.#options.keep?.(path, true) === false) return;
    if (this.#isIncluded === undefined || this.#isIncluded(path)) this.entries.push({ path, type: 'directory' });
    this.#list(path);
  }

  #visitOther(path: string, kind: Pick<Dirent, 'isFile' | 'isSymbolicLink'>): void {
    if (this.#isExcluded(path) || this.#isIncluded?.(path) === false || this.#options.keep?.(path, false) === false)
      return;
    const hostFile = `${this.#rootDir}/${path}`;
    if (kind.isFile()) {
      const { size, mode } = readStat(hostFile);
      this.entries.push({ path, type: 'file', executable: (mode & 0o111) !== 0, content: { hostFile, size } });
    } else if (kind.isSymbolicLink()) {
      this.entries.push({ path, type: 'symlink', target: readTarget(hostFile) });
    } else {
      this.#options.onSkipped?.(path, nameKind(hostFile));
    }
  }
}

/** Called for every file, so it uses no closure. */
function readStat(hostPath: string): Stats {
  try {
    return lstatSync(hostPath);
  } catch (cause) {
    throw explain(hostPath, cause);
  }
}

function readTarget(hostFile: string): string {
  const bytes = readFrom(hostFile, () => readlinkSync(hostFile, { encoding: 'buffer' }));
  const target = bytes.toString();
  if (target.includes('\ufffd') && !Buffer.from(target).equals(bytes)) throw notUtf8('the target of', hostFile, bytes);
  return target;
}

function nameKind(hostFile: string): string {
  const stat = lstatSync(hostFile);
  if (stat.isSocket()) return 'socket';
  return stat.isFIFO() ? 'pipe' : 'device';
}

/**
 * Checks names by a second read: Node replaces bytes that are not UTF-8, which hides them behind names with U+FFFD
 * itself.
 */
function checkNames(hostDir: string): void {
  for (const bytes of readdirSync(hostDir, { encoding: 'buffer' })) {
    if (!Buffer.from(bytes.toString()).equals(bytes)) throw notUtf8('a name in', hostDir, bytes);
  }
}

function notUtf8(what: string, place: string, bytes: Buffer): GbuildError {
  const escaped = bytes
    .toString('latin1')
    .replace(/[^ -~]/g, (char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`);
  return new GbuildError('workspace-unreadable', `${what} ${JSON.stringify(place)} is not UTF-8: "${escaped}"`, {
    suggestions: ['Rename it, or leave it out with "exclude".'],
    facts: { path: place, name: escaped },
  });
}

function readFrom<T>(hostPath: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw explain(hostPath, cause);
  }
}

function explain(hostPath: string, cause: unknown): GbuildError {
  const code = (cause as NodeJS.ErrnoException).code;
  const path = JSON.stringify(hostPath);
  const details = { cause, facts: { path: hostPath } };
  if (code === 'ENOENT' || code === 'ENOTDIR')
    return new GbuildError('output-missing', `${path} is not there`, details);
  const suggestions = code === 'EACCES' ? [`chmod -R u+rX ${path}`] : [];
  return new GbuildError('workspace-unreadable', `${path} cannot be read: ${messageOf(cause)}`, {
    ...details,
    suggestions,
  });
}
