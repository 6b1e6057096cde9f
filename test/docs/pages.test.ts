import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Command } from '@oclif/core';
import { expect, test } from 'vitest';
import { listPages, proseOf, readPage } from '../support/cli/doc-pages.ts';

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

/** Every command by its words, from the files that define them. */
const commands = await readCommands();

async function readCommands(): Promise<Record<string, typeof Command>> {
  const files = readdirSync(`${root}src/commands`, { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.ts'),
  );
  const modules = await Promise.all(files.map((file) => import(`${root}src/commands/${file}`)));
  const found = files.flatMap((file, index): [string, typeof Command][] => {
    const { default: command } = modules[index] as { default?: typeof Command };
    return command === undefined ? [] : [[file.replace(/(\/index)?\.ts$/, '').replace('/', ' '), command]];
  });
  return Object.fromEntries(found);
}

/** Words that have commands below them. */
const topics = new Set(Object.keys(commands).flatMap((name) => (name.includes(' ') ? [name.split(' ')[0]!] : [])));

test.each(pages)('every command and flag that %s mentions exists', (page) => {
  const mentions = readPage(page).matchAll(/(?:^\$ |`|run: |- )(?:\w+=\w+ )*gbuild (?!COMMAND)([a-z]+)([^`\n|;&]*)/gm);
  const wrong = [...mentions].flatMap(([whole, first, others = '']) => {
    const next = topics.has(first!) ? /^ ([a-z]+)/.exec(others)?.[1] : undefined;
    const second = next !== undefined && Object.hasOwn(commands, `${first} ${next}`) ? next : undefined;
    const [name, rest] =
      second === undefined ? [first!, others] : [`${first} ${second}`, others.slice(second.length + 1)];
    const command = commands[name];
    if (command === undefined) return [whole];
    const known = { ...command.flags, ...command.baseFlags };
    const flags = rest.split(' -- ')[0]!.matchAll(/ --(?:no-)?([a-z]+(?:-[a-z]+)*)/g);
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
