import { deflateRawSync } from 'node:zlib';
import { afterAll, expect, it } from 'vitest';
import { elfOf, faultsOf, type MadeImage, removeLayers } from './made-files.ts';

afterAll(removeLayers);

const programs = Object.fromEntries(
  ['node', 'ruby', 'python3', 'sh', 'java', 'bundle'].map((name) => [`usr/bin/${name}`, elfOf()]),
);
const ask = (words: string, more: MadeImage = {}) =>
  faultsOf(words.split(' '), { ...more, layers: [programs, ...(more.layers ?? [])] });

it("finds Node's script as Node does, and says which one is missing", async () => {
  const app = {
    'dist/main.js': '',
    'lib/index.js': '',
    'pkg/package.json': '{}',
    'pkg/index.js': '',
    'data/x.txt': '',
  };
  for (const words of [
    'dist/main.js',
    'dist/main',
    '/app/dist/main.js',
    './lib',
    'pkg',
    '--enable-source-maps dist/main',
  ])
    expect(await ask(`node ${words}`, { app }), words).toEqual([]);
  for (const words of [
    'dist/other.js',
    '-C production dist/other.js',
    '--max-old-space-size=99 dist/other.js',
    '-- dist/other.js',
  ])
    expect(await ask(`node ${words} --port 8080`, { app }), words).toEqual([
      'the script /app/dist/other.js is missing',
    ]);
  const main = (name: string) => ({ app: { 'package.json': JSON.stringify({ main: name }), 'lib/index.js': '' } });
  for (const name of ['lib', 'lib/index', './lib/index.js']) expect(await ask('node .', main(name)), name).toEqual([]);
  expect(await ask('node .', main('dist/main.js'))).toEqual(['the script /app/dist/main.js is missing']);
  expect(await ask('node data', { app })).toEqual([
    'the script /app/data is a folder without package.json, index.js, index.json, index.node',
  ]);
});

it('finds the files and modules that options of Node name', async () => {
  const app = { 'x.js': '', 'trace.js': '', 'hooks/index.js': '', '.env': '', 'node_modules/@a/b/c.js': '' };
  for (const words of [
    '--env-file=.env x.js',
    '--env-file .env -r ./trace x.js',
    '-r ./hooks x.js',
    '--env-file-if-exists=.env.local x.js',
    '--import=node:test x.js',
    '--import file:///app/none.js x.js',
    '--require @a/b/c x.js',
  ])
    expect(await ask(`node ${words}`, { app }), words).toEqual([]);
  expect(await ask('node --env-file=.env.local -r dotenv/config --import ./none.mjs x.js', { app })).toEqual([
    'the file of --env-file, /app/.env.local, is missing',
    'the module dotenv/config, which -r names, is in no node_modules',
    'the script /app/none.mjs is missing',
  ]);
  expect(await ask('node -r dotenv/config x.js', { app: { ...app, '.pnp.cjs': '' } })).toEqual([]);
});

it('stays silent where the words do not tell what is read', async () => {
  for (const words of [
    'node',
    'node -e x.js',
    'node --title',
    'node --new-option x.js',
    'node inspect x.js',
    'node --eval x',
  ])
    expect(await ask(words), words).toEqual([]);
  for (const words of [
    'ruby -S rake',
    'ruby -C dir x.rb',
    'python3 -m app',
    'sh -s x',
    'bundle exec puma',
    'java -m a/b',
  ])
    expect(await ask(words), words).toEqual([]);
});

it('finds scripts of ruby, python and sh behind their options', async () => {
  const app = { 'app.rb': '', 'app.py': '', 'start.sh': '', 'zipped/__main__.py': '' };
  for (const words of [
    'ruby -I lib -W0 app.rb',
    'ruby --yjit app.rb',
    'python3 -u app.py',
    'python3 zipped',
    'sh -eu start.sh',
  ])
    expect(await ask(words, { app }), words).toEqual([]);
  expect(await ask('ruby -r bundler/setup other.rb', { app })).toEqual(['the script /app/other.rb is missing']);
  expect(await ask('python3 -X dev other.py', { app })).toEqual(['the script /app/other.py is missing']);
  expect(await ask('sh -euo pipefail other.sh', { app })).toEqual(['the script /app/other.sh is missing']);
});

it('wants a script that the user of the image may read', async () => {
  const layers = [{ 'opt/x.js': { content: '', mode: 0o640 } }];
  expect(await ask('node /opt/x.js', { layers })).toEqual([
    'the script /opt/x.js is not readable for the user 65532:65532',
  ]);
  expect(await ask('node /opt/x.js', { layers, user: '' })).toEqual([]);
});

it('says of a link where it leads', async () => {
  const layers = [{ 'opt/current': { link: 'releases/2' }, 'opt/releases/1/x.js': '' }];
  expect(await ask('node /opt/current/x.js', { layers })).toEqual([
    'the script /opt/current/x.js is missing: the link /opt/current leads to releases/2, which does not exist',
  ]);
});

/** A zip of these files, deflated (APPNOTE 4.3). */
function zipOf(files: Record<string, string>): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let at = 0;
  for (const [name, text] of Object.entries(files)) {
    const packed = deflateRawSync(text);
    const local = Buffer.alloc(30);
    local.writeUInt32LE(0x04034b50, 0);
    local.writeUInt16LE(8, 8);
    local.writeUInt16LE(name.length, 26);
    const entry = Buffer.alloc(46);
    entry.writeUInt32LE(0x02014b50, 0);
    entry.writeUInt16LE(8, 10);
    entry.writeUInt32LE(packed.length, 20);
    entry.writeUInt32LE(text.length, 24);
    entry.writeUInt16LE(name.length, 28);
    entry.writeUInt32LE(at, 42);
    directory.push(entry, Buffer.from(name));
    parts.push(local, Buffer.from(name), packed);
    at += 30 + name.length + packed.length;
  }
  const central = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt32LE(central.length, 12);
  end.writeUInt32LE(at, 16);
  return Buffer.concat([...parts, central, end]);
}

it('wants a jar that names a class which it has, or a jar that it names', async () => {
  const manifest = (more: string) => `Manifest-Version: 1.0\r\n${more}\r\n`;
  const layers = [
    {
      'app/boot.jar': zipOf({ 'META-INF/MANIFEST.MF': manifest('Main-Class: a.Launcher'), 'a/Launcher.class': '' }),
      'app/thin.jar': zipOf({ 'META-INF/MANIFEST.MF': manifest('Main-Class: b.Main\r\nClass-Path: lib/b.jar') }),
      'app/lib/b.jar': zipOf({ 'b/Main.class': '' }),
      'app/bare.jar': zipOf({ 'META-INF/MANIFEST.MF': manifest('') }),
      'app/wrong.jar': zipOf({ 'META-INF/MANIFEST.MF': manifest('Main-Class: c.Main') }),
      'app/text.jar': 'no zip',
    },
  ];
  expect(await ask('java -Xmx1g -jar boot.jar --port 1', { layers })).toEqual([]);
  expect(await ask('java --add-opens java.base/java.lang=ALL-UNNAMED -jar thin.jar', { layers })).toEqual([]);
  expect(await ask('java -jar other.jar', { layers })).toEqual(['the jar /app/other.jar is missing']);
  expect(await ask('java -jar bare.jar', { layers })).toEqual([
    'the jar /app/bare.jar has no Main-Class in its manifest',
  ]);
  expect(await ask('java -jar text.jar', { layers })).toEqual(['the jar /app/text.jar is not a zip file']);
  expect(await ask('java -jar wrong.jar', { layers })).toEqual([
    'the jar /app/wrong.jar names c.Main as its Main-Class, which is neither in it nor in a jar of its Class-Path',
  ]);
  expect(await ask('java -javaagent:agent.jar=x -jar boot.jar', { layers })).toEqual([
    'the file /app/agent.jar is missing',
  ]);
});

it('looks for a class in folders, jars and all jars of a folder', async () => {
  const layers = [
    {
      'app/classes/a/Main.class': '',
      'app/lib/b.jar': zipOf({ 'b/Main.class': '' }),
      'app/odd.jar': 'x',
      'app/named.jar': zipOf({ 'META-INF/MANIFEST.MF': 'Class-Path: lib/b.jar\n' }),
    },
  ];
  for (const words of [
    '-cp classes a.Main',
    '-cp x:lib/b.jar b.Main',
    '-cp /app/lib/* b.Main',
    '--class-path=classes a/Main',
  ])
    expect(await ask(`java ${words}`, { layers }), words).toEqual([]);
  expect(await ask('java -cp classes:lib/* c.Main', { layers })).toEqual([
    'the class c.Main is not on the class path (classes:lib/*)',
  ]);
  expect(await ask('java a.Main', { layers, env: { CLASSPATH: '/app/classes' } })).toEqual([]);
  expect(await ask('java a.Main', { layers })).toEqual(['the class a.Main is not on the class path (.)']);
  expect(await ask('java -cp named.jar b.Main', { layers })).toEqual([]);
  // What cannot be read, or is the JDK's, or may be changed by a variable, is not judged.
  expect(await ask('java -cp odd.jar c.Main', { layers })).toEqual([]);
  expect(await ask('java sun.tools.Main', { layers })).toEqual([]);
  expect(await ask('java c.Main', { layers, env: { JDK_JAVA_OPTIONS: '-cp x' } })).toEqual([]);
});
