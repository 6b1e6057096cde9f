import { createHash } from 'node:crypto';
import { createWriteStream, existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { type IncomingMessage, request } from 'node:http';
import { join, posix } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { extract } from 'tar-stream';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { commitAll, openCli } from '../../support/cli/cli.ts';
import { addressOf, askEngine } from '../../support/engines/engine-http.ts';
import { commitImage, removeContainer, removeRepository } from '../../support/engines/engine-images.ts';
import { baseImage, ensureTestImage } from '../../support/images/base-image.ts';
import { startRegistry, type TestRegistry } from '../../support/registry/registry.ts';

const engine = inject('engineHost');
const name = `e2e-extract-${process.pid}`;
const image = `${name}:1`;
const cli = openCli({ engine, toolchain: image, ownCache: true });
let registry: TestRegistry;
let container: string;

/** Everything that an upper layer can do to a lower one, on a real root. */
const script = [
  'mkdir -p /opt/lower/gone /opt/opaque && echo lower >/opt/opaque/old && echo lower >/opt/lower/gone/file',
  'rm -r /usr/share/doc && mkdir /usr/share/doc && echo new >/usr/share/doc/only',
  'rm /etc/issue && ln /etc/debian_version /opt/hard && ln -s /etc/passwd /opt/absolute',
  'ln -s ../../../../etc/group /opt/upwards && ln -s lower /opt/link && echo through >/opt/link/through',
  'mkfifo /opt/pipe && mknod /opt/null c 1 3 && cp /bin/true /opt/setuid && chmod 4755 /opt/setuid',
  'install -d -o 1234 -g 2345 -m 3775 /opt/owned && echo mine >/opt/owned/file && chown 70000:80000 /opt/owned/file',
  'printf x >"/opt/$(printf \'line\\nend\\033[31m\')" && mv /opt/opaque /opt/moved && touch -d @1000000000 /opt/moved/old',
].join('\n');

beforeAll(async () => {
  registry = await startRegistry();
  await ensureTestImage(engine, baseImage);
  await commitImage(engine, baseImage, image, script);
  const created = await askEngine(engine, 'POST', '/containers/create', { json: { Image: image, Cmd: ['true'] } });
  container = (JSON.parse(created.text) as { Id: string }).Id;
});
afterAll(async () => {
  await removeContainer(engine, container);
  await removeRepository(engine, name);
  await registry[Symbol.asyncDispose]();
  cli[Symbol.dispose]();
});

interface Seen {
  type: string;
  mode?: number;
  owner: string;
  mtime?: number;
  /** Digest of a file's content, or where a link leads. */
  content?: string;
}

const digest = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');
/** Where a link leads in a container, its own folders taken as they are. */
const leadsTo = (path: string, target: string) => posix.resolve('/', posix.dirname(path), target);

/** What an engine writes of a container: `docker export`, or `docker cp` of one path. */
async function readEngine(path: string, below = ''): Promise<Map<string, Seen>> {
  const found = new Map<string, Seen>();
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    request({ ...addressOf(engine), path: `/containers/${container}/${path}` }, resolve)
      .on('error', reject)
      .end();
  });
  const entries = extract();
  const ended = pipeline(answer, entries);
  for await (const entry of entries) {
    const { name: entryName, type, mode = 0, uid = 0, gid = 0, linkname, mtime } = entry.header;
    const chunks: Buffer[] = [];
    for await (const chunk of entry) chunks.push(chunk as Buffer);
    const at = posix.join(below, entryName).replace(/\/$/, '');
    if (type === 'character-device' || type === 'block-device' || type === 'fifo') continue;
    const time = Math.floor((mtime?.getTime() ?? 0) / 1000);
    const common = { owner: `${uid}:${gid}`, mode: mode & 0o777, mtime: time };
    if (type === 'link') found.set(at, { ...found.get(posix.join(below, linkname!))! });
    else if (type === 'symlink') found.set(at, { type, owner: common.owner, content: leadsTo(at, linkname!) });
    else if (type === 'directory') found.set(at, { type, owner: common.owner, mode: mode & 0o1777 });
    else found.set(at, { type: 'file', ...common, content: digest(Buffer.concat(chunks)) });
  }
  await ended;
  return found;
}

function readFolder(dir: string, above = ''): Map<string, Seen> {
  const found = new Map<string, Seen>();
  for (const entry of readdirSync(join(dir, above), { withFileTypes: true })) {
    const path = posix.join(above, entry.name);
    const { mode, uid, gid, mtimeMs } = lstatSync(join(dir, path));
    const owner = `${uid}:${gid}`;
    if (entry.isSymbolicLink())
      found.set(path, { type: 'symlink', owner, content: leadsTo(path, readlinkSync(join(dir, path))) });
    else if (entry.isDirectory()) {
      found.set(path, { type: 'directory', owner, mode: mode & 0o7777 });
      for (const [below, seen] of readFolder(dir, path)) found.set(below, seen);
    } else {
      const content = digest(readFileSync(join(dir, path)));
      found.set(path, { type: 'file', owner, mode: mode & 0o7777, mtime: Math.floor(mtimeMs / 1000), content });
    }
  }
  return found;
}

/** Without what an engine puts into each container. */
function comparable(tree: Map<string, Seen>) {
  const own = /^(\.dockerenv|dev(\/.*)?|proc|sys|etc|etc\/(hostname|hosts|mtab|resolv\.conf))$/;
  return Object.fromEntries([...tree].filter(([path]) => path !== '' && path !== '.' && !own.test(path)).sort());
}

const run = async (...args: string[]) => {
  const { exitCode, stdout, stderr } = await cli.run(['inspect', ...args]);
  return {
    exitCode,
    stdout: cli.plain(stdout).replaceAll(name, 'NAME'),
    stderr: cli.plain(stderr).replaceAll(name, 'NAME'),
  };
};

test('the files are those that docker export has of a container, but for devices and the right to run as others', async () => {
  const dir = join(cli.dir, 'whole');
  const { exitCode, stdout, stderr } = await run(`engine:${image}`, '--extract', dir);
  expect(exitCode, stderr).toBe(0);
  expect(comparable(readFolder(dir))).toEqual(comparable(await readEngine('export')));
  expect(existsSync(join(dir, 'opt/pipe'))).toBe(false);
  expect(stdout).toMatch(/^extracted engine:NAME:1 to <dir>\/whole: \d+ files, \d+ folders, \d+ links, \d+ MB\n$/);
  expect(stderr).toMatch(/^warning: \d+ paths not written: dev\/console \(a device\), /m);
  expect(stderr).toMatch(/written without setuid and setgid bits and capabilities: /);
});

test('one path is what docker cp has of it', async () => {
  const dir = join(cli.dir, 'path');
  const { exitCode, stderr } = await run(`engine:${image}`, '--extract', dir, '--path', '/opt');
  expect(exitCode, stderr).toBe(0);
  expect(readdirSync(dir)).toEqual(['opt']);
  expect(comparable(readFolder(dir))).toEqual(comparable(await readEngine('archive?path=/opt')));
  expect(stderr).toContain('2 paths not written: opt/null (a device), opt/pipe (a named pipe)\n');
  expect(stderr).toContain('written without setuid and setgid bits and capabilities: opt/setuid\n');
});

test('a path through a link of a folder is found, and is written where the link leads', async () => {
  const dir = join(cli.dir, 'linked');
  const { exitCode, stderr } = await run(`engine:${image}`, '--extract', dir, '--path', '/opt/link/through');
  expect(exitCode, stderr).toBe(0);
  expect(readFileSync(join(dir, 'opt/lower/through'), 'utf8')).toBe('through\n');
});

test('a release is the same files from the store, a layout, an archive, the engine and a registry', async () => {
  const body = 'image:\n  layers: [{name: app, from: [src]}]\n  entrypoint: [/bin/true]\n';
  const rootDir = cli.tasks(name, body, { 'src/app.txt': 'application\n' });
  const [layout, archive] = [join(cli.dir, 'layout'), join(cli.dir, 'image.tar')];
  const flags = ['--output', `oci:${layout}`, '--output', `docker-archive:${archive}`, '--push', '--no-attest'];
  expect(await cli.run(['lock'], { cwd: rootDir })).toMatchObject({ exitCode: 0 });
  commitAll(rootDir, 'locked');
  const released = await cli.run(['image', '--release', '1.0.0', '--registry', registry.host, ...flags], {
    cwd: rootDir,
  });
  expect(released.exitCode, released.stderr).toBe(0);
  const release = `${name}:1.0.0`;
  const places = [
    release,
    `oci:${layout}`,
    `docker-archive:${archive}`,
    `engine:${release}`,
    `${registry.host}/${release}`,
  ];
  const trees: string[] = [];
  for (const [number, place] of places.entries()) {
    const dir = join(cli.dir, `place-${number}`);
    const { exitCode, stderr } = await run(place, '--extract', dir, '--path', '/app');
    expect(exitCode, stderr).toBe(0);
    expect(readFileSync(join(dir, 'app/src/app.txt'), 'utf8')).toBe('application\n');
    trees.push(JSON.stringify(comparable(readFolder(dir))));
  }
  expect(new Set(trees).size).toBe(1);
});

test('a folder in use is refused, an interrupt leaves nothing', async () => {
  const used = join(cli.dir, 'used');
  mkdirSync(used);
  await pipeline(['mine'], createWriteStream(join(used, 'file')));
  expect(await run(`engine:${image}`, '--extract', used)).toMatchInlineSnapshot(`
    {
      "exitCode": 2,
      "stderr": "error: "<dir>/used" exists and is not an empty folder; nothing was written
      try: gbuild inspect engine:NAME:1 --extract <dir>/used-2
    ",
      "stdout": "",
    }
  `);
  const dir = join(cli.dir, 'stopped');
  const running = cli.start(['inspect', `engine:${image}`, '--extract', dir]);
  await running.until('extracting ');
  running.kill('SIGINT');
  const { exitCode } = await running.ended;
  expect(exitCode).toBe(130);
  expect(readdirSync(cli.dir).filter((each) => each.startsWith('stopped'))).toEqual([]);
});
