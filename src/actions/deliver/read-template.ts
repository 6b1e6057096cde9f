import { readdirSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Template } from '../../deliver/template.ts';
import { GbuildError, messageOf } from '../../errors.ts';
import { isThere, readBounded } from '../../fs/read-bounded.ts';
import { isOfRepository } from '../../secrets/host-source.ts';
import type { ChosenTarget } from './choose-target.ts';

const mostFiles = 1000;

/** Reads the target's template. Undefined where there is none and none is needed. @throws GbuildError `template-invalid` */
export function readTemplate(rootDir: string | undefined, target: ChosenTarget): Template | undefined {
  const { kind, template } = target;
  const { use, is, reads } = kind.template;
  if (use === 'none' || template === undefined || rootDir === undefined) {
    if (use === 'required') throw missing(target, undefined);
    return undefined;
  }
  const place = join(rootDir, template.path);
  if (!isThere(place)) {
    if (use === 'required' || template.isNamed) throw missing(target, template.path);
    return undefined;
  }
  const isFolder = statSync(place).isDirectory();
  if (is !== 'file or folder' && isFolder !== (is === 'folder')) throw wrongType(target, template.path, isFolder);
  const paths = isFolder ? (reads?.filter((path) => isThere(join(place, path))) ?? listFiles(place, '')) : [''];
  if (paths.length === 0) throw hasNone(target, template.path);
  const files = new Map(paths.map((path) => [path || basename(place), readText(join(place, path), rootDir)]));
  const { companion } = kind.template;
  if (companion !== undefined && isThere(join(dirname(place), companion))) {
    const paths = listFiles(dirname(place), companion);
    for (const path of paths) files.set(path, readText(join(dirname(place), path), rootDir));
  }
  return { path: template.path, files };
}

function listFiles(dir: string, below: string): string[] {
  const found: string[] = [];
  for (const entry of readdirSync(join(dir, below), { withFileTypes: true }).sort((a, b) =>
    a.name < b.name ? -1 : 1,
  )) {
    const path = below === '' ? entry.name : `${below}/${entry.name}`;
    if (entry.isDirectory()) found.push(...listFiles(dir, path));
    else if (entry.isFile()) found.push(path);
    else throw notFile(dir, path);
    if (found.length > mostFiles)
      throw new GbuildError('template-invalid', `the template ${dir} has more than ${mostFiles} files`, {
        suggestions: ['name a folder that has nothing but the template'],
      });
  }
  return found;
}

/** A link that is left out would be missing in silence; one that is followed may lead out of the repository. */
function notFile(dir: string, path: string): GbuildError {
  return new GbuildError('template-invalid', `${path} in the template ${dir} is neither a file nor a folder`, {
    suggestions: ['put the file itself in the place of a link to it'],
    facts: { file: join(dir, path) },
  });
}

/** Reads a file of the repository. One that a link leads out of it to would be delivered with what is the caller's own. */
function readText(file: string, rootDir: string): string {
  if (!isOfRepository(file, rootDir)) {
    throw new GbuildError('template-invalid', `the template ${file} is a link that leads out of the repository`, {
      suggestions: ['put the file itself in the place of the link'],
      facts: { file },
    });
  }
  try {
    const bytes = readBounded(file);
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new GbuildError('template-invalid', `the template ${file} cannot be read as text: ${messageOf(cause)}`, {
      cause,
      facts: { file },
    });
  }
}

function missing({ name, kind }: ChosenTarget, path: string | undefined): GbuildError {
  const what = path === undefined ? 'gbuild.yml names none' : `there is no ${path}`;
  return new GbuildError('template-invalid', `the target ${name} (${kind.kind}) needs a template, and ${what}`, {
    suggestions: [
      `write deliver.targets.${name}.template in gbuild.yml: a ${kind.template.is} of the repository`,
      ...kind.needs,
    ],
    facts: { target: name, kind: kind.kind, path },
  });
}

function hasNone({ name, kind }: ChosenTarget, path: string): GbuildError {
  const wanted = kind.template.reads?.join(' or ') ?? 'file';
  return new GbuildError('template-invalid', `the template ${path} of ${name} has no ${wanted}`, {
    facts: { target: name, path },
  });
}

function wrongType({ name, kind }: ChosenTarget, path: string, isFolder: boolean): GbuildError {
  const found = isFolder ? 'a folder' : 'a file';
  return new GbuildError(
    'template-invalid',
    `the template ${path} of ${name} is ${found}; ${kind.kind} takes a ${kind.template.is}`,
    {
      facts: { target: name, path },
    },
  );
}
