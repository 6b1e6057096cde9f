import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Fenced block of a page. */
export interface DocBlock {
  /** Path in the checkout. */
  page: string;
  line: number;
  language: string;
  /** Second word after the fence: the kind within that language. */
  kind?: string;
  text: string;
  /** Reason from `<!-- not run: reason -->` above the block. */
  notRun?: string;
}

/** Command of a console block, with the output that the page shows. */
export interface DocCommand {
  line: number;
  command: string;
  output: string[];
}

/** Repository that a page's commands run in: a copy of an example. */
export interface DocSetting {
  /** Folder below examples/. */
  example: string;
  /** Whether the copy has no gbuild.yml, like a repository that has never used gbuild. */
  isFresh: boolean;
  /** Whether registry.example.com is a registry that takes releases. */
  hasRegistry: boolean;
  /** Tier of the tests that runs the page. */
  tier: 'standard' | 'matrix';
}

const root = fileURLToPath(new URL('../../..', import.meta.url));

/** Lists the pages for people, by path in the checkout: those at its root and those below docs/. */
export function listPages(): string[] {
  const atRoot = ['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'CHANGELOG.md'];
  const inDocs = readdirSync(`${root}docs`, { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.md'),
  );
  return [...atRoot, ...inDocs.map((file) => `docs/${file}`).sort()];
}

export function readPage(page: string): string {
  return readFileSync(root + page, 'utf8');
}

/**
 * Reads the first line of a page, `<!-- example: NAME, without gbuild.yml, with a registry, matrix tier -->`. Without
 * that line the setting is node-hello, unchanged.
 */
export function readSetting(page: string): DocSetting {
  const [, example = 'node-hello', fresh, registry, matrix] =
    /^<!-- example: ([\w-]+)(, without gbuild\.yml)?(, with a registry)?(, matrix tier)? -->\n/.exec(readPage(page)) ??
    [];
  return {
    example,
    isFresh: fresh !== undefined,
    hasRegistry: registry !== undefined,
    tier: matrix === undefined ? 'standard' : 'matrix',
  };
}

export function listBlocks(page: string): DocBlock[] {
  const text = readPage(page);
  const found = text.matchAll(/(?:^<!-- not run: (.+) -->\n)?^```(\w*)(?: (\w+))?\n([\s\S]*?)^```$/gm);
  return [...found].map((match) => {
    const [whole, notRun, language, kind, body] = match;
    const line = text.slice(0, match.index + whole.indexOf('```')).split('\n').length;
    return { page, line, language: language!, text: body!, ...(kind && { kind }), ...(notRun && { notRun }) };
  });
}

/**
 * Lists the commands of a console block: a line that starts with `$ ` is one, and the lines below it are its output.
 */
export function listCommands({ text, line }: DocBlock): DocCommand[] {
  const commands: DocCommand[] = [];
  for (const [index, each] of text.trimEnd().split('\n').entries()) {
    if (each.startsWith('$ ')) commands.push({ line: line + 1 + index, command: each.slice(2), output: [] });
    else commands.at(-1)?.output.push(each);
  }
  return commands;
}

/** Returns a page without its blocks. */
export function proseOf(page: string): string {
  return readPage(page).replaceAll(/^```[\s\S]*?^```$/gm, '');
}
