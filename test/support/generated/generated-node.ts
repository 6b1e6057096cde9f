import fc from 'fast-check';
import type { GeneratedRepository } from './generated-suite.ts';

type Manager = 'npm' | 'pnpm' | 'yarn 1' | 'yarn 4';

interface Member {
  dir: string;
  /** Folder that its build writes to, below its own folder. */
  output: string;
  /** Whether another member loads it by its name. */
  isUsed: boolean;
  hasOwnDependency: boolean;
}

interface Layout {
  manager: Manager;
  members: Member[];
  /** Files that the build of the root writes, at any path. */
  outputs: string[];
  ignoredIn: 'root' | 'folders';
  /** Tracked files that the program reads. */
  data: string[];
  start: 'script' | 'script with a variable' | 'main' | 'server.js';
  /** Path of the program, which may be in a folder or made by the build. */
  program: 'server.js' | 'src/server.js' | 'dist/server.js';
  hasBuildDependency: boolean;
}

const versions: Record<Manager, string> = {
  npm: 'npm@11.21.2',
  pnpm: 'pnpm@10.33.0',
  'yarn 1': 'yarn@1.22.22',
  'yarn 4': 'yarn@4.9.2',
};
const relocks: Record<Manager, string> = {
  npm: 'npm install --package-lock-only --offline',
  pnpm: 'pnpm install --lockfile-only --offline',
  'yarn 1': 'yarn install --offline --non-interactive; rm -rf node_modules',
  'yarn 4': 'yarn install; rm -rf node_modules',
};

const member: fc.Arbitrary<Omit<Member, 'dir'>> = fc.record({
  output: fc.constantFrom('dist', 'lib', 'build/out', 'generated', '.output'),
  isUsed: fc.boolean(),
  hasOwnDependency: fc.boolean(),
});

const layouts: fc.Arbitrary<Layout> = fc
  .record({
    manager: fc.constantFrom<Manager>('npm', 'pnpm', 'yarn 1', 'yarn 4'),
    members: fc.array(member, { maxLength: 3 }),
    memberDir: fc.constantFrom('packages', 'apps', 'src/modules'),
    outputs: fc.uniqueArray(
      fc.constantFrom(
        'public/build/app.js',
        '.next/server/page.js',
        'made.json',
        'config/local/made.json',
        'out/deep/er/x',
        'assets/app.css',
      ),
      { maxLength: 3 },
    ),
    ignoredIn: fc.constantFrom('root' as const, 'folders' as const),
    data: fc.uniqueArray(
      fc.constantFrom(
        'locales/de.json',
        'config/default.json',
        'bin/tool.sh',
        'vendor/lib/x.txt',
        '.data/seed',
        'views/a b.html',
        'docs/help.md',
        'test/given.txt',
      ),
      { maxLength: 4 },
    ),
    start: fc.constantFrom<Layout['start']>('script', 'script with a variable', 'main', 'server.js'),
    program: fc.constantFrom<Layout['program']>('server.js', 'src/server.js', 'dist/server.js'),
    hasBuildDependency: fc.boolean(),
  })
  .map(({ memberDir, members, ...layout }) => ({
    ...layout,
    program: layout.start === 'server.js' ? 'server.js' : layout.program,
    members: members.map((each, at) => ({ ...each, dir: `${memberDir}/m${at}` })),
  }));

/** Draws repositories of Node; the same seed draws the same ones. */
export function drawNodeRepositories(count: number, seed: number): GeneratedRepository[] {
  return fc.sample(layouts, { numRuns: count, seed }).map(makeRepository);
}

function makeRepository(layout: Layout): GeneratedRepository {
  const { manager, members, data, outputs, program } = layout;
  const files: Record<string, string> = {
    'package.json': formatRoot(layout),
    'tools/build.js': formatBuild(layout),
    '.gitignore': ['node_modules/', '.env', '/mine/', ...(layout.ignoredIn === 'root' ? listIgnored(layout) : [])].join(
      '\n',
    ),
    'vendored/plain/package.json': '{"name": "plain", "version": "1.0.0"}',
    'vendored/plain/index.js': 'module.exports = "plain";',
  };
  for (const path of data) files[path] = `data of ${path}`;
  if (manager === 'pnpm' && members.length > 0)
    files['pnpm-workspace.yaml'] = `packages: ${JSON.stringify(members.map(({ dir }) => dir))}\n`;
  if (manager === 'yarn 4') files['.yarnrc.yml'] = 'nodeLinker: node-modules\nenableNetwork: false\n';
  if (layout.hasBuildDependency) {
    files['vendored/builder/package.json'] = '{"name": "builder", "version": "1.0.0"}';
    files['vendored/builder/index.js'] = "module.exports = (text) => 'built: ' + text;";
  }
  for (const [at, each] of members.entries()) {
    files[`${each.dir}/package.json`] = formatMember(each, at);
    files[`${each.dir}/src/index.js`] =
      `module.exports = 'member ${at} ${each.hasOwnDependency ? "' + require('plain') + '" : ''}';`;
  }
  if (layout.ignoredIn === 'folders')
    for (const path of listIgnored(layout)) {
      const at = path.replace(/^\//, '').split('/');
      const dir = at.length > 1 && at[1] !== '' ? at[0]! : '';
      const file = dir === '' ? '.gitignore' : `${dir}/.gitignore`;
      files[file] = `${files[file] ?? ''}\n/${dir === '' ? at.join('/') : at.slice(1).join('/')}`;
    }
  if (program !== 'dist/server.js') files[program] = formatProgram(layout);
  const left = {
    '.env': 'TOKEN=1',
    'mine/notes.txt': '',
    'node_modules/extra/index.js': '',
    ...Object.fromEntries(outputs.map((path) => [`${path}.old`, 'old'])),
  };
  const title = `${manager}, ${members.length} members, ${layout.start}`;
  return { title, layout, toolchain: 'node@^24', files, left, command: `node ${program}`, relock: relocks[manager] };
}

function formatRoot({ manager, members, start, program, hasBuildDependency }: Layout): string {
  const used = members.flatMap(({ isUsed }, at) => (isUsed ? [[`@x/m${at}`, nameMember(manager)]] : []));
  return JSON.stringify({
    name: 'generated',
    version: '1.0.0',
    private: true,
    packageManager: versions[manager],
    ...(members.length > 0 && manager !== 'pnpm' && { workspaces: members.map(({ dir }) => dir) }),
    ...(start === 'main' && { main: program }),
    scripts: {
      build: 'node tools/build.js',
      ...(start === 'script' && { start: `node ${program}` }),
      ...(start === 'script with a variable' && { start: `NODE_ENV=production node ${program}` }),
    },
    dependencies: { plain: 'file:./vendored/plain', ...Object.fromEntries(used) },
    ...(hasBuildDependency && { devDependencies: { builder: 'file:./vendored/builder' } }),
  });
}

/** Returns the version of a member: npm and yarn 1 accept any that fits. */
function nameMember(manager: Manager): string {
  return manager === 'npm' || manager === 'yarn 1' ? '1.0.0' : 'workspace:*';
}

function formatMember({ dir, output, hasOwnDependency }: Member, at: number): string {
  const up = dir
    .split('/')
    .map(() => '..')
    .join('/');
  return JSON.stringify({
    name: `@x/m${at}`,
    version: '1.0.0',
    main: `${output}/index.js`,
    ...(hasOwnDependency && { dependencies: { plain: `file:${up}/vendored/plain` } }),
  });
}

function listIgnored({ members, outputs, program }: Layout): string[] {
  const made = [...members.map(({ dir, output }) => `/${dir}/${output}/`), ...outputs.map((path) => `/${path}*`)];
  return program === 'dist/server.js' ? [...made, '/dist/'] : made;
}

/** Formats the build of all parts: it copies members, and writes outputs with values that only the build has. */
function formatBuild({ members, outputs, program, hasBuildDependency, ...layout }: Layout): string {
  const text = formatProgram({ members, outputs, program, hasBuildDependency, ...layout });
  return `
const { cpSync, mkdirSync, writeFileSync } = require('node:fs');
const write = (path, text) => { mkdirSync(require('node:path').dirname(path), { recursive: true }); writeFileSync(path, text); };
const build = ${hasBuildDependency ? "require('builder')" : '(text) => text'};
for (const [from, to] of ${JSON.stringify(members.map(({ dir, output }) => [`${dir}/src`, `${dir}/${output}`]))}) cpSync(from, to, { recursive: true });
for (const path of ${JSON.stringify(outputs)}) write(path, build(path));
${program === 'dist/server.js' ? `write('dist/server.js', ${JSON.stringify(text)});` : ''}
`;
}

/**
 * Formats the program, which prints its findings: it reads everything committed or built, and would notice a person's
 * leftovers.
 */
function formatProgram({ members, data, outputs, program }: Layout): string {
  const top = program.includes('/') ? "require('node:path').join(__dirname, '..')" : '__dirname';
  const used = members.flatMap(({ isUsed }, at) => (isUsed ? [`@x/m${at}`] : []));
  const paths = members.map(({ dir, output }) => `${dir}/${output}/index.js`);
  return `
const { existsSync, readFileSync } = require('node:fs');
const { join } = require('node:path');
const top = ${top};
const attempt = (work) => { try { return work(); } catch (error) { return error.code ?? error.message; } };
const answer = {
  version: process.version,
  packages: ${JSON.stringify(['plain', ...used])}.map((name) => attempt(() => require(name))),
  members: ${JSON.stringify(paths)}.map((path) => attempt(() => require(join(top, path)))),
  files: ${JSON.stringify([...data, ...outputs, 'package.json'])}.map((path) => attempt(() => readFileSync(join(top, path), 'utf8'))),
  left: ${JSON.stringify(['mine/notes.txt', '.env', ...outputs.map((path) => `${path}.old`)])}.filter((path) => existsSync(join(top, path))),
};
console.log(JSON.stringify(answer));
`;
}
