import { afterAll, expect, it } from 'vitest';
import { elfOf, faultsOf, type MadeImage, removeLayers } from './made-files.ts';

afterAll(removeLayers);

const loader = '/lib64/ld-linux-x86-64.so.2';

/** As Debian lays it out: /bin, /lib and /lib64 lead below /usr. */
const debian = {
  bin: { link: 'usr/bin' },
  lib: { link: 'usr/lib' },
  lib64: { link: 'usr/lib64' },
  'usr/lib': { folder: 0o755 },
  'usr/lib64/ld-linux-x86-64.so.2': { link: '/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2' },
  'usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2': elfOf(),
  'usr/lib/x86_64-linux-gnu/libc.so.6': elfOf({ needed: ['ld-linux-x86-64.so.2'] }),
  'usr/bin/dash': elfOf({ interpreter: loader, needed: ['libc.so.6'] }),
  'usr/bin/sh': { link: 'dash' },
  'usr/bin/env': elfOf({ interpreter: loader, needed: ['libc.so.6'] }),
  'usr/bin/node': elfOf({ interpreter: loader, needed: ['libc.so.6'] }),
  'etc/passwd': 'root:x:0:0::/root:/bin/sh\napp:x:65532:65532::/:/bin/sh\nweb:x:33:33::/:/bin/sh\n',
  'etc/group': 'root:x:0:\nstaff:x:50:web\n',
};
const onDebian = (more: Partial<MadeImage> = {}): MadeImage => ({ ...more, layers: [debian, ...(more.layers ?? [])] });

it('finds nothing wrong with a program of the base and a script of the application', async () => {
  expect(await faultsOf(['node', 'app.js'], onDebian({ app: { 'app.js': '' } }))).toEqual([]);
  expect(await faultsOf(['/bin/sh', 'start.sh'], onDebian({ app: { 'start.sh': '' } }))).toEqual([]);
});

it('passes a static program on nothing at all', async () => {
  expect(await faultsOf(['/server'], { layers: [{ server: elfOf({}) }] })).toEqual([]);
});

it('names a program that no folder of PATH has', async () => {
  expect(await faultsOf(['npm', 'start'], onDebian())).toEqual([
    'its program npm is in no folder of its PATH (/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin)',
  ]);
  expect(await faultsOf(['node'], onDebian({ env: { PATH: '/opt' } }))).toEqual([
    'its program node is in no folder of its PATH (/opt)',
  ]);
  expect(await faultsOf(['bin/server'], onDebian())).toEqual(['its program /app/bin/server is missing']);
});

it('takes the first program on PATH that may be executed', async () => {
  const env = { PATH: '/opt/broken:/opt/plain:/usr/bin' };
  const layers = [{ 'opt/plain/node': { content: '', mode: 0o644 }, 'opt/broken/node': { link: '/nowhere' } }];
  expect(await faultsOf(['node'], onDebian({ env, layers }))).toEqual([]);
  expect(await faultsOf(['node'], onDebian({ env: { PATH: '/opt/plain' }, layers }))).toEqual([
    'its program /opt/plain/node is not executable for the user 65532:65532',
  ]);
  expect(await faultsOf(['node'], onDebian({ env: { PATH: '/opt/broken' }, layers }))).toEqual([
    'its program /opt/broken/node is missing: the link /opt/broken/node leads to /nowhere, which does not exist',
  ]);
});

it('goes by the user of the image, its groups and the folders above', async () => {
  const program = (mode: number, gid = 0) => ({ content: elfOf(), mode, uid: 1000, gid });
  const layers = [
    {
      'opt/own': program(0o700),
      'opt/staff': program(0o750, 50),
      'opt/closed': { folder: 0o700 },
      'opt/closed/all': program(0o755),
    },
  ];
  const ask = (name: string, user: string) => faultsOf([`/opt/${name}`], onDebian({ layers, user }));
  expect(await ask('own', '1000')).toEqual([]);
  expect(await ask('own', '0')).toEqual([]);
  expect(await ask('own', 'app')).toEqual(['its program /opt/own is not executable for the user app']);
  expect(await ask('staff', 'web')).toEqual([]);
  expect(await ask('staff', '1:staff')).toEqual([]);
  expect(await ask('staff', 'app')).toEqual(['its program /opt/staff is not executable for the user app']);
  expect(await ask('closed/all', 'root')).toEqual([]);
  expect(await ask('closed/all', '5:5')).toEqual([
    'its program /opt/closed/all lies in /opt/closed, which the user 5:5 may not enter',
  ]);
  expect(await ask('own', 'nobody')).toEqual(['no user or group of the image is called nobody']);
  expect(await ask('own', '1:nobody')).toEqual(['no user or group of the image is called 1:nobody']);
});

it('says what is wrong with a file that no kernel executes', async () => {
  const layers = [
    {
      'a/empty': '',
      'a/text': 'echo hello\n',
      'a/folder/x': '',
      'a/arm': elfOf({ machine: 183 }),
      'a/old': elfOf({ machine: 3, is64: false }),
      'a/windows': '#!/bin/sh\r\necho\r\n',
      'a/nothing': '#!\n',
      'a/gone': '#!/usr/bin/bash\n',
      'a/env': '#!/usr/bin/env python3\n',
      'a/node': '#!/usr/bin/env node\n',
      'a/split': '#!/usr/bin/env -S node --test\n',
    },
  ];
  const ask = (name: string) => faultsOf([`/a/${name}`], onDebian({ layers }));
  expect(await ask('empty')).toEqual(['/a/empty is empty']);
  expect(await ask('text')).toEqual(['/a/text is neither machine code nor a script that begins with #!']);
  expect(await ask('folder')).toEqual(['its program /a/folder is a folder']);
  expect(await ask('arm')).toEqual(['/a/arm is machine code for AArch64, and the image is for linux/amd64']);
  expect(await ask('old')).toEqual([]);
  expect(await ask('windows')).toEqual([
    'the first line of /a/windows ends with a carriage return, as on Windows, so its interpreter is not found',
  ]);
  expect(await ask('nothing')).toEqual(['the first line of /a/nothing names no interpreter']);
  expect(await ask('gone')).toEqual(['the interpreter of /a/gone, /usr/bin/bash, is missing']);
  expect(await ask('env')).toEqual([
    'the interpreter of /a/env, python3, is in no folder of its PATH (/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin)',
  ]);
  expect(await ask('node')).toEqual([]);
  expect(await ask('split')).toEqual([]);
});

it('names the loader and the libraries that are missing, however deep', async () => {
  const layers = [
    {
      'a/other': elfOf({ interpreter: '/lib/ld-musl-x86_64.so.1' }),
      'a/node': elfOf({ interpreter: loader, needed: ['libatomic.so.1', 'libm.so.6', 'libdeep.so'] }),
      'usr/lib/x86_64-linux-gnu/libm.so.6': elfOf({ machine: 183 }),
      'usr/lib/x86_64-linux-gnu/libdeep.so': elfOf({ needed: ['libc.so.6', 'libdeeper.so'] }),
    },
  ];
  expect(await faultsOf(['/a/other'], onDebian({ layers }))).toEqual([
    'the loader of /a/other, /lib/ld-musl-x86_64.so.1, is missing',
  ]);
  expect(await faultsOf(['/a/node'], onDebian({ layers }))).toEqual([
    'the library libatomic.so.1, which /a/node needs, is in no folder that its loader looks in',
    'the library libm.so.6, which /a/node needs, is in no folder that its loader looks in',
    'the library libdeeper.so, which /usr/lib/x86_64-linux-gnu/libdeep.so needs, is in no folder that its loader looks in',
  ]);
});

it('looks for libraries where the program, its loader and the environment say', async () => {
  const needs = (more: object) => elfOf({ interpreter: loader, needed: ['libx.so'], ...more });
  const ask = (program: Buffer, paths: object, env = {}) =>
    faultsOf(['/opt/app/bin/x'], onDebian({ env, layers: [{ 'opt/app/bin/x': program, ...paths }] }));
  expect(await ask(needs({ runpath: '$ORIGIN/../lib' }), { 'opt/app/lib/libx.so': elfOf() })).toEqual([]);
  expect(await ask(needs({ rpath: `/nowhere:$${'{ORIGIN}'}/../$LIB` }), { 'opt/app/lib64/libx.so': elfOf() })).toEqual(
    [],
  );
  expect(await ask(needs({ runpath: '/opt/$PLATFORM' }), {})).toEqual([]);
  expect(await ask(needs({}), { 'opt/y/libx.so': elfOf() }, { LD_LIBRARY_PATH: '/opt/y' })).toEqual([]);
  const conf = { 'etc/ld.so.conf': 'include ld.so.conf.d/*.conf\n', 'etc/ld.so.conf.d/y.conf': '# ours\n/opt/y # y\n' };
  expect(await ask(needs({}), { ...conf, 'opt/y/libx.so': elfOf() })).toEqual([]);
  expect(
    await ask(needs({}), { 'etc/ld.so.cache': 'glibc\0libx.so\0/opt/y/libx.so\0', 'opt/y/libx.so': elfOf() }),
  ).toEqual([]);
  expect(await ask(needs({}), { 'opt/y/libx.so': elfOf() })).toHaveLength(1);
  // DT_RPATH is handed down to what is loaded, DT_RUNPATH is not.
  const chain = { 'opt/y/libx.so': elfOf({ needed: ['libz.so'] }), 'opt/y/libz.so': elfOf() };
  expect(await ask(needs({ rpath: '/opt/y' }), chain)).toEqual([]);
  expect(await ask(needs({ runpath: '/opt/y' }), chain)).toHaveLength(1);
});

it("takes musl's loader for the C library", async () => {
  const musl = {
    'lib/ld-musl-x86_64.so.1': elfOf(),
    'usr/lib/libz.so.1': elfOf({ needed: ['libc.musl-x86_64.so.1'] }),
    'usr/bin/x': elfOf({ interpreter: '/lib/ld-musl-x86_64.so.1', needed: ['libz.so.1', 'libc.musl-x86_64.so.1'] }),
  };
  expect(await faultsOf(['x'], { layers: [musl] })).toEqual([]);
});

it('reads machine code of any width and byte order', async () => {
  const interpreter = '/lib/ld.so.1';
  const layers = [
    { x: elfOf({ interpreter, machine: 22, isBig: true }), y: elfOf({ interpreter, machine: 3, is64: false }) },
  ];
  expect(await faultsOf(['/x'], { layers, platform: 'linux/s390x' })).toEqual([
    'the loader of /x, /lib/ld.so.1, is missing',
  ]);
  expect(await faultsOf(['/y'], { layers, platform: 'linux/386' })).toEqual([
    'the loader of /y, /lib/ld.so.1, is missing',
  ]);
});

it('honours what upper layers take away, replace and put behind links', async () => {
  const gone = { 'usr/bin/.wh.node': '' };
  const opaque = { 'usr/lib/x86_64-linux-gnu/.wh..wh..opq': '' };
  const again = { 'bin/node': elfOf() };
  const broken = { bin: { folder: 0o755 }, 'bin/other': elfOf() };
  const ask = (...layers: Record<string, never>[]) => faultsOf(['/bin/node'], onDebian({ layers }));
  expect(await ask(gone as never)).toEqual(['its program /bin/node is missing']);
  expect(await ask(opaque as never)).toEqual([
    'the loader of /usr/bin/node, /lib64/ld-linux-x86-64.so.2, is missing: the link /usr/lib64/ld-linux-x86-64.so.2 leads to /lib/x86_64-linux-gnu/ld-linux-x86-64.so.2, which does not exist',
  ]);
  expect(await ask(gone as never, again as never)).toEqual([]);
  expect(await ask(broken as never)).toEqual(['its program /bin/node is missing']);
});

it('ends at links that lead to themselves', async () => {
  expect(await faultsOf(['/x'], { layers: [{ x: { link: 'y' }, y: { link: 'x' } }] })).toHaveLength(1);
});

it('looks behind small programs that start another one, and stays silent where words do not tell', async () => {
  const layers = [{ 'usr/bin/tini': elfOf(), 'usr/local/bin/docker-entrypoint.sh': '#!/bin/sh\n' }];
  const ask = (...words: string[]) => faultsOf(words, onDebian({ layers }));
  const missing = ['the script /app/x.js is missing'];
  expect(await ask('tini', '--', 'node', 'x.js')).toEqual(missing);
  expect(await ask('tini', '-g', 'node', 'x.js')).toEqual(missing);
  expect(await ask('env', 'A=b', 'node', 'x.js')).toEqual(missing);
  expect(await ask('sh', '-c', 'exec node x.js --port $PORT')).toEqual(missing);
  expect(await ask('sh', '-c', 'A=b node x.js')).toEqual(missing);
  expect(await ask('sh', '-c', 'npm start')).toHaveLength(1);
  for (const line of [
    'node $FILE',
    '$NODE x.js',
    'cd x && node x.js',
    'PATH=/opt node x.js',
    'cd there',
    'node "x.js"',
  ])
    expect(await ask('sh', '-c', line), line).toEqual([]);
  expect(await ask('docker-entrypoint.sh', 'node', 'x.js')).toEqual([]);
});
