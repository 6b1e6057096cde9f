import { statSync } from 'node:fs';
import type { VolumeHolder } from '../engine/engine.ts';
import { GbuildError, messageOf } from '../errors.ts';
import type { TarItem } from '../oci/tar.ts';
import { type FileContent, smallFile } from './hash-file.ts';
import type { PushPlan, Sides } from './plan-push.ts';
import { readNode } from './read-local.ts';
import { readSent } from './read-sent.ts';
import { treeOf } from './remote-tree.ts';
import { folderOf, isSamePrint, type Mirror, type Node, type Tree } from './tree.ts';

export interface Owner {
  uid: number;
  gid: number;
}

/** How much it was. */
export interface Sent {
  files: number;
  bytes: number;
  removed: number;
}

export interface PushInput {
  rootDir: string;
  holder: VolumeHolder;
  sides: Sides;
  plan: PushPlan;
  owner: Owner;
  signal: AbortSignal;
  /** Told once, before anything is sent. */
  onBegin: (sent: Sent) => void;
}

/** Above this many paths everything is listed anew rather than each of them. */
const manyPaths = 20_000;

/**
 * Makes the volume as this side is, and answers with what both have then. What changes here meanwhile is sent as it was or as it
 * is, and looked at again the next time. Killed at any moment it leaves a volume that the next push takes as it finds it.
 */
export async function push(input: PushInput): Promise<Mirror> {
  const { rootDir, holder, sides, plan, owner, signal } = input;
  const { local } = sides;
  const contents = new Map<string, string>();
  const send = [...plan.send, ...plan.compare.filter((path) => isOther(input, path, contents))];
  const files = send.filter((path) => local.get(path)?.kind === 'file');
  const bytes = files.reduce((sum, path) => sum + local.get(path)!.size, 0);
  input.onBegin({ files: files.length, bytes, removed: plan.remove.length });
  if (plan.remove.length > 0) await holder.remove(plan.remove, signal);
  const isFirst = sides.remote.size === 0;
  const items = readItems({ rootDir, paths: send, local, owner, exact: !isFirst, contents });
  if (send.length > 0) await holder.put(items, signal);
  // A large file is read a second time to be sent: it counts only if it stood still.
  for (const path of files) if (hasMoved(rootDir, path, local.get(path)!)) contents.delete(path);
  const remote = await readRemote(sides.remote, plan.remove, send, holder, signal);
  return makeMirror(sides, remote, new Set(send), contents);
}

/** What both sides have. Of a file that was sent or read, the content is in `contents`, unless it may be another by now. */
function makeMirror(
  { local, mirror, sources }: Sides,
  remote: Tree,
  sent: ReadonlySet<string>,
  contents: ReadonlyMap<string, string>,
): Mirror {
  const after: Mirror = new Map();
  for (const [path, node] of local) {
    const there = remote.get(path);
    const known = mirror.get(path);
    if (there === undefined || there.kind !== node.kind) continue;
    const isRead = sent.has(path) || contents.has(path);
    if (!isRead && !sources.has(path)) {
      if (known !== undefined) after.set(path, known);
      continue;
    }
    const content = node.kind === 'file' ? (isRead ? contents.get(path) : known?.content) : (node.target ?? '');
    if (content !== undefined) after.set(path, { kind: node.kind, content, local: node.print, remote: there.print });
  }
  return after;
}

/** Its times have changed: has its content, or its mode? Of one that has not, the content is noted. */
function isOther({ rootDir, sides }: PushInput, path: string, contents: Map<string, string>): boolean {
  const content = readSent(rootDir, path, sides.local);
  const isSame = content?.digest === sides.mirror.get(path)?.content;
  if (!isSame || sides.local.get(path)?.mode !== sides.remote.get(path)?.mode) return true;
  contents.set(path, content!.digest);
  return false;
}

function hasMoved(rootDir: string, path: string, before: Node): boolean {
  if (before.size < smallFile) return false;
  const now = readNode(`${rootDir}/${path}`);
  return now === undefined || !isSamePrint(before.print, now.print);
}

interface ItemsInput {
  rootDir: string;
  paths: string[];
  local: Tree;
  owner: Owner;
  /** Times to the nanosecond: what is edited within the second of a build must look newer than what that made. */
  exact: boolean;
  /** Gets the digest of each file. */
  contents: Map<string, string>;
}

/** The folder of the workspace itself first: a new volume's belongs to root. */
function* readItems({ rootDir, paths, local, owner, exact, contents }: ItemsInput): Generator<TarItem> {
  const { mode, mtimeMs } = statSync(rootDir);
  const mtime = Math.floor(mtimeMs / 1000);
  yield { header: { path: '', type: 'directory', mode: mode & 0o777, ...owner, mtime, size: 0 } };
  for (const path of paths) {
    const node = local.get(path)!;
    const content = node.kind === 'file' ? readFile(rootDir, path, local) : undefined;
    if (node.kind === 'file' && content === undefined) continue;
    if (content !== undefined) contents.set(path, content.digest);
    const { size = 0, bytes } = content ?? {};
    const header = { ...headerOf(path, node, exact), ...owner, size };
    const source = bytes === undefined ? { hostFile: `${rootDir}/${path}`, size } : { bytes, size };
    yield content === undefined ? { header } : { header, content: source };
  }
}

function headerOf(path: string, { kind, mode, mtime = 0, target }: Node, exact: boolean) {
  const seconds = Math.floor(mtime / 1000);
  const records = { mtime: Buffer.from((mtime / 1000).toFixed(6)) };
  return {
    path,
    type: kind as 'file' | 'directory' | 'symlink',
    mode,
    mtime: seconds,
    ...(target !== undefined && { linkTarget: target }),
    ...(exact && kind === 'file' && mtime > 0 && { records }),
  };
}

function readFile(rootDir: string, path: string, local: Tree): FileContent | undefined {
  try {
    return readSent(rootDir, path, local);
  } catch (cause) {
    const hostFile = `${rootDir}/${path}`;
    throw new GbuildError(
      'workspace-unreadable',
      `${JSON.stringify(hostFile)} cannot be read, so it cannot be sent to the engine: ${messageOf(cause)}`,
      {
        cause,
        suggestions: [`chmod u+r ${JSON.stringify(hostFile)}`, 'list it in .gitignore'],
        facts: { path: hostFile },
      },
    );
  }
}

async function readRemote(
  before: Tree,
  removed: string[],
  sent: string[],
  holder: VolumeHolder,
  signal: AbortSignal,
): Promise<Tree> {
  if (sent.length > manyPaths || (sent.length > 0 && before.size === 0)) return treeOf(await holder.list(signal)).tree;
  const gone = new Set(removed);
  const after: Tree = new Map();
  for (const [path, node] of before) {
    if (gone.has(path) || gone.has(folderOf(path))) gone.add(path);
    else after.set(path, node);
  }
  if (sent.length === 0) return after;
  for (const [path, node] of treeOf(await holder.stat(sent, signal)).tree) after.set(path, node);
  return after;
}
