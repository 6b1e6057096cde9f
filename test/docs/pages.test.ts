import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import BuildCommand from '../../src/commands/build.ts';
import CacheLsCommand from '../../src/commands/cache/ls.ts';
import CacheRmCommand from '../../src/commands/cache/rm.ts';
import CleanCommand from '../../src/commands/clean.ts';
import CompletionCommand from '../../src/commands/completion.ts';
import DoctorCommand from '../../src/commands/doctor.ts';
import ImageCommand from '../../src/commands/image.ts';
import InitCommand from '../../src/commands/init.ts';
import LockCommand from '../../src/commands/lock.ts';
import MigrateCommand from '../../src/commands/migrate.ts';
import PlanCommand from '../../src/commands/plan.ts';
import RunCommand from '../../src/commands/run.ts';
import ShellCommand from '../../src/commands/shell.ts';
import TestCommand from '../../src/commands/test.ts';
import ToolchainBuildCommand from '../../src/commands/toolchain/build.ts';
import ToolchainInspectCommand from '../../src/commands/toolchain/inspect.ts';
import ToolchainLsCommand from '../../src/commands/toolchain/ls.ts';
import ToolchainPushCommand from '../../src/commands/toolchain/push.ts';
import ToolchainRmCommand from '../../src/commands/toolchain/rm.ts';
import { listPages, proseOf, readPage } from '../support/doc-pages.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const pages = listPages();

/** The anchors of a page, as GitHub makes them of headings. */
function anchorsOf(page: string): string[] {
  const headings = proseOf(page).matchAll(/^#+ (.+)$/gm);
  return [...headings].map(([, title]) =>
    title!
      .toLowerCase()
      .replaceAll(/[^\w\- ]/g, '')
      .replaceAll(' ', '-'),
  );
}

test.each(pages)('every link of %s leads somewhere', (page) => {
  const links = [...proseOf(page).matchAll(/\]\((?!https?:)([^)#]*)(?:#([^)]+))?\)/g)];
  const broken = links.filter(([, path, anchor]) => {
    const target = path === '' ? page : join(dirname(page), path!);
    return !existsSync(root + target) || (anchor !== undefined && !anchorsOf(target).includes(anchor));
  });
  expect(broken.map(([link]) => link)).toEqual([]);
});

test('no page names a path of a machine it was written on, or a registry', () => {
  const forbidden = /\/work\/|\/root\/|\/tmp\/scratch|registry\.npmjs|docker\.io\/|ghcr\.io|quay\.io|hub\.docker/;
  const found = pages.flatMap(
    (page) =>
      readPage(page)
        .match(forbidden)
        ?.map((word) => `${page}: ${word}`) ?? [],
  );
  expect(found).toEqual([]);
});

const commands = {
  'cache ls': CacheLsCommand,
  'cache rm': CacheRmCommand,
  'toolchain build': ToolchainBuildCommand,
  'toolchain inspect': ToolchainInspectCommand,
  'toolchain ls': ToolchainLsCommand,
  'toolchain push': ToolchainPushCommand,
  'toolchain rm': ToolchainRmCommand,
  build: BuildCommand,
  clean: CleanCommand,
  completion: CompletionCommand,
  doctor: DoctorCommand,
  image: ImageCommand,
  init: InitCommand,
  lock: LockCommand,
  migrate: MigrateCommand,
  plan: PlanCommand,
  run: RunCommand,
  shell: ShellCommand,
  test: TestCommand,
};

test.each(pages)('every command and flag that %s mentions exists', (page) => {
  const mentions = readPage(page).matchAll(
    /(?:^\$ |`|run: |- )(?:\w+=\w+ )*gbuild (?!COMMAND)((?:cache |toolchain )?[a-z]+)([^`\n|;&]*)/gm,
  );
  const wrong = [...mentions].flatMap(([whole, name, rest]) => {
    const command = commands[name as keyof typeof commands];
    if (command === undefined) return [whole];
    const known = { ...command.flags, ...command.baseFlags } as object;
    const flags = rest!.split(' -- ')[0]!.matchAll(/ --(?:no-)?([a-z]+)/g);
    const isKnown = (flag: string) => ['json', 'help'].includes(flag) || Object.hasOwn(known, flag);
    return [...flags].filter(([, flag]) => !isKnown(flag!)).map(([flag]) => `${whole}: ${flag}`);
  });
  expect(wrong).toEqual([]);
});

test('the changelog and the name of the package speak of the version that this is', () => {
  const { version } = JSON.parse(readPage('package.json')) as { version: string };
  expect(readPage('CHANGELOG.md').match(/^## \[(\d[^\]]*)\]/m)?.[1]).toBe(version);
  const packages = pages.flatMap((page) => readPage(page).match(/gbuild-\d[\w.]*\.tgz/g) ?? []);
  expect([...new Set(packages)]).toEqual([`gbuild-${version}.tgz`]);
});
